import { describe, expect, it } from 'vitest';
import { completeTokenAnswer, knowsGetOnly, parseTokenAnswer } from '../../src/domain/token-answer.ts';

describe('the answer of a token service', () => {
  it.each([
    ['{"token":"a","expires_in":300}', { token: 'a', lifetime: 300 }],
    ['{"access_token":"a","expires_in":"300"}', { token: 'a', lifetime: 300 }],
    ['{"token":"","access_token":"a"}', { token: 'a', lifetime: 60 }],
    ['{"token":"a","expires_in":-1}', { token: 'a', lifetime: 60 }],
    ['{"token":"two words"}', undefined],
    ['{"token":7}', undefined],
    ['{"errors":[]}', undefined],
    ['null', undefined],
    ['<html>', undefined],
  ])('%s holds %j', (text, expected) => {
    expect(parseTokenAnswer(text)).toEqual(expected);
  });

  it.each([
    ['{"token":"a"}', { token: 'a', access_token: 'a', expires_in: 60 }],
    ['{"access_token":"a","expires_in":300,"x":1}', { token: 'a', access_token: 'a', expires_in: 300, x: 1 }],
    ['{"token":"","access_token":"a","expires_in":5}', { token: 'a', access_token: 'a', expires_in: 5 }],
  ])('%s gets what it lacks', (text, expected) => {
    expect(JSON.parse(completeTokenAnswer(text) ?? '')).toEqual(expected);
  });

  it.each([
    '{"token":"a","access_token":"a","expires_in":300}',
    '{"token":"a","access_token":"b","expires_in":1}',
    '{}',
    '[',
  ])('%s stays as it is', (text) => {
    expect(completeTokenAnswer(text)).toBeUndefined();
  });
});

it.each([
  [404, true],
  [405, true],
  [415, true],
  [501, true],
  [200, false],
  [401, false],
  [503, false],
])('a token service that answers a POST %i has to be asked by GET: %s', (status, expected) => {
  expect(knowsGetOnly(status)).toBe(expected);
});

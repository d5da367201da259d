import { describe, expect, it } from 'vitest';
import { isImageClient } from '../../src/domain/image-clients.ts';
import { namesUser, parseImageReference, tellable } from '../../src/domain/image-reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('the name of an image', () => {
  it.each([
    ['alpine', { repository: 'alpine', reference: { kind: 'tag', tag: 'latest' } }],
    ['team/app:1.2', { repository: 'team/app', reference: { kind: 'tag', tag: '1.2' } }],
    [`app@${DIGEST}`, { repository: 'app', reference: { kind: 'digest', digest: DIGEST } }],
    [`app:1@${DIGEST}`, { repository: 'app', reference: { kind: 'digest', digest: DIGEST } }],
    ['localhost/app', { host: 'localhost', repository: 'app', reference: { kind: 'tag', tag: 'latest' } }],
    ['Host:5000/a/b:x', { host: 'host:5000', repository: 'a/b', reference: { kind: 'tag', tag: 'x' } }],
    ['ghcr.io/a/b', { host: 'ghcr.io', repository: 'a/b', reference: { kind: 'tag', tag: 'latest' } }],
  ])('%s is read as docker reads it', (text, expected) => {
    expect(parseImageReference(text)).toEqual(expected);
  });

  it.each(['', 'App', 'a:b:c', 'a@sha256:0', 'a/../b', 'a b', ':tag', 'http://a/v2/b/manifests/c', 'a:-x'])(
    '%j is none',
    (text) => {
      expect(parseImageReference(text)).toBeUndefined();
    },
  );
});

describe('a user name in a reference', () => {
  it.each([
    'user:pass@host/app:1',
    'token@ghcr.io/team/app',
    'user:p@ss@host/app',
    'https://user:pass@host/v2/app/manifests/1',
    'HTTP://token@host/v2/',
    '//user@host/v2/',
  ])('is seen in %s', (text) => {
    expect(namesUser(text)).toBe(true);
  });

  it.each([
    'app',
    `app@${DIGEST}`,
    `team/app@${DIGEST}`,
    `host:5000/team/app:1@${DIGEST}`,
    `http://host/v2/app/manifests/${DIGEST}`,
    `https://host/v2/x@y/z`,
  ])('is not seen in %s', (text) => {
    expect(namesUser(text)).toBe(false);
  });
});

describe('what was written as a reference, told again', () => {
  it.each([
    ['App', 'App'],
    ['App:1', 'App:1'],
    [`App@${DIGEST}`, `App@${DIGEST}`],
    ['user:pa/ss@host/App', '...@host/App'],
    ['user:pa?s#s@host/App', '...@host/App'],
    [`user:pa\nss@host/App@${DIGEST}`, `...@host/App@${DIGEST}`],
    ['http://host/App?token=SECRET', 'http://host/App'],
    ['http://host/App#token=SECRET', 'http://host/App'],
  ])('%j is %j', (text, told) => {
    expect(tellable(text)).toBe(told);
  });
});

it('knows the clients whose requests can be sent', () => {
  expect(isImageClient('containerd')).toBe(true);
  expect(isImageClient('toString')).toBe(false);
});

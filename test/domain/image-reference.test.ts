import { describe, expect, it } from 'vitest';
import { isImageClient } from '../../src/domain/image-clients.ts';
import { parseImageReference } from '../../src/domain/image-reference.ts';

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

it('knows the clients whose requests can be sent', () => {
  expect(isImageClient('containerd')).toBe(true);
  expect(isImageClient('toString')).toBe(false);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meansServer, parseLocation } from '../../src/fixes/location.ts';

const parse = (location: string) =>
  parseLocation(location, 'https://registry.test:5001', '/v2/team/app/blobs/uploads/id');

describe('a Location', () => {
  it.each([
    ['http://a:1/v2/x?y=%3D', { scheme: 'http', authority: 'a:1', path: '/v2/x?y=%3D' }],
    ['HTTPS://u@A', { scheme: 'https', authority: 'u@A', path: '/' }],
    ['http://a?b=c', { scheme: 'http', authority: 'a', path: '/?b=c' }],
    ['https,http://a/v2/', { scheme: 'https', authority: 'a', path: '/v2/' }],
    ['http, https://a/v2/', { scheme: 'http', authority: 'a', path: '/v2/' }],
    ['//a/v2/', { scheme: 'https', authority: 'a', path: '/v2/' }],
    ['ftp://a/', { scheme: 'ftp', authority: 'a', path: '/' }],
    ['/v2/x?u=http://y', { scheme: 'https', path: '/v2/x?u=http://y' }],
    ['other?_state=a', { scheme: 'https', path: '/v2/team/app/blobs/uploads/other?_state=a' }],
    ['?_state=a', { scheme: 'https', path: '/v2/team/app/blobs/uploads/id?_state=a' }],
  ])('is split without touching its bytes: %s', (location, expected) => {
    expect(parse(location)).toEqual(expected);
  });

  it('always has a path, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (location) => {
        expect(parse(location).path).toMatch(/^\//);
      }),
    );
  });

  it.each([
    ['registry.test:5001', 'http://registry.test:5001', true],
    ['user:secret@REGISTRY.test:5001', 'http://registry.test:5001', true],
    ['registry.test', 'http://registry.test:5001', true],
    ['registry.test:', 'http://registry.test:5001', true],
    ['registry.test:443', 'https://registry.test', true],
    ['registry.test:80', 'https://registry.test', true],
    ['registry.test:9000', 'https://registry.test', false],
    ['registry.test:5002', 'http://registry.test:5001', false],
    ['storage.test', 'http://registry.test:5001', false],
    ['[::1]:5001', 'http://[::1]:5001', true],
    ['[::1]', 'http://[::1]:5001', true],
    ['[::2]:5001', 'http://[::1]:5001', false],
  ])('%s means %s: %s', (authority, origin, expected) => {
    expect(meansServer(authority, origin)).toBe(expected);
  });
});

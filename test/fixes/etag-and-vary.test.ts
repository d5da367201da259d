import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { type HeaderList, headerValue } from '../../src/domain/headers.ts';
import { etagAndVary } from '../../src/fixes/etag-and-vary.ts';
import { manifestView } from '../support/views.ts';

const digest = digestOf(Buffer.from('{}'));
const byTag = (headers: HeaderList) => etagAndVary.manifest?.(manifestView({ headers }), {});
const byDigest = (headers: HeaderList) => etagAndVary.manifest?.(manifestView({ headers, reference: digest }), {});

const healthyTag: HeaderList = [
  ['ETag', `"${digest}"`],
  ['Cache-Control', 'no-cache'],
  ['Vary', 'Accept'],
];
const healthyDigest: HeaderList = [
  ['ETag', `"${digest}"`],
  ['Cache-Control', 'max-age=31536000, immutable'],
];
const tagWith = (name: string, value: string) =>
  byTag([...healthyTag.filter(([other]) => other !== name), [name, value]])?.headers ?? [];

describe('etag-and-vary', () => {
  it('says how a manifest by tag may be cached', () => {
    expect(byTag([])).toEqual({ note: 'set ETag, Vary or Cache-Control', headers: healthyTag });
  });

  it('says that a manifest by digest never changes', () => {
    expect(byDigest([])?.headers).toEqual(healthyDigest);
  });

  it('leaves answers alone that say so already', () => {
    expect(byTag(healthyTag)).toBeUndefined();
    expect(byDigest(healthyDigest)).toBeUndefined();
  });

  it.each([`W/"${digest}"`, digest, '"other"', ''])(
    'replaces the entity tag %s by the strong one of the digest',
    (value) => {
      expect(headerValue(tagWith('ETag', value), 'etag')).toBe(`"${digest}"`);
    },
  );

  it.each([
    ['Accept-Encoding', 'Accept'],
    ['Origin', 'Origin, Accept'],
    ['accept-encoding , Origin', 'Origin, Accept'],
    ['Accept-Encoding, accept', 'accept'],
    ['', 'Accept'],
    ['Accept-Encoding, *', '*'],
  ])('makes Vary "%s" by tag "%s"', (before, after) => {
    expect(headerValue(tagWith('Vary', before), 'Vary')).toBe(after);
  });

  it('leaves a Vary alone that covers Accept', () => {
    for (const value of ['*', 'Origin,Accept']) {
      expect(byTag([...healthyTag.slice(0, 2), ['Vary', value]])).toBeUndefined();
    }
  });

  it('takes nothing but Accept-Encoding out of Vary by digest', () => {
    expect(byDigest([...healthyDigest, ['Vary', 'Accept-Encoding']])?.headers).toEqual(healthyDigest);
    expect(byDigest([...healthyDigest, ['Vary', 'Origin']])).toBeUndefined();
  });

  it('respects a registry that forbids shared storing', () => {
    for (const value of ['no-store', 'private, max-age=60', 'Private']) {
      expect(
        byDigest([
          ['ETag', `"${digest}"`],
          ['Cache-Control', value],
        ]),
      ).toBeUndefined();
    }
    expect(headerValue(tagWith('Cache-Control', 'public, max-age=60'), 'Cache-Control')).toBe('no-cache');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../src/http/routes.ts';
import { sealLocation, unsealLocation } from '../../src/pipeline/sealed-location.ts';
import { uploadRoute, uploadStartRoute } from '../support/views.ts';

const key = new Uint8Array(32).fill(1);
const url = 'https://storage.test/bucket/upload?X-Signature=a%2Fb&part=1';

/** The upload id that a client sends back after it got this location. */
function idOf(location: string): string {
  const { route } = parseTarget(location);
  if (route.kind !== 'upload') throw new Error(`not an upload location: ${location}`);
  return route.id;
}

describe('a sealed location', () => {
  it('is the path of an upload session of the same repository, with a query to append to', () => {
    const { route, query } = parseTarget(sealLocation(key, uploadStartRoute(), url));
    expect(route).toMatchObject({ kind: 'upload', repository: 'team/app' });
    expect(query).toBe('_state=sealed');
  });

  it('leads back to exactly the URL that was sealed, whatever it holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constant(url), fc.string({ unit: 'grapheme' })), (text) => {
        expect(unsealLocation(key, 'team/app', idOf(sealLocation(key, uploadRoute(), text)))).toBe(text);
      }),
    );
  });

  it('is of no use in another repository, with another key, or changed in any place', () => {
    const id = idOf(sealLocation(key, uploadRoute(), url));
    expect(unsealLocation(key, 'team/other', id)).toBeUndefined();
    expect(unsealLocation(new Uint8Array(32), 'team/app', id)).toBeUndefined();
    const forged = Array.from(
      id,
      (character, at) => id.slice(0, at) + (character === 'A' ? 'B' : 'A') + id.slice(at + 1),
    );
    expect(forged.filter((text) => unsealLocation(key, 'team/app', text) !== undefined)).toEqual([]);
    expect(unsealLocation(key, 'team/app', id.slice(0, -1))).toBeUndefined();
  });

  it('is told apart from the upload ids of registries, and nothing makes the reading fail', () => {
    expect(unsealLocation(key, 'team/app', '0b3f4a6c-8d9e-4f10-9a11-223344556677')).toBeUndefined();
    const nearly = fc.string({ unit: 'grapheme' }).map((text) => `manifix~${text}`);
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string()), (id) => {
        expect(unsealLocation(key, 'team/app', id)).toBeUndefined();
      }),
    );
  });
});

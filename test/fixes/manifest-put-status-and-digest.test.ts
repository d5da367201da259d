import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import type { ResponseView } from '../../src/fixes/fix.ts';
import { manifestPutStatusAndDigest } from '../../src/fixes/manifest-put-status-and-digest.ts';
import { sampleImage } from '../support/images.ts';
import {
  manifestPutView,
  manifestRoute,
  requestView,
  responseView,
  someDigest,
  uploadRoute,
} from '../support/views.ts';

const { bytes } = sampleImage('oci-amd64');
const sha256 = digestOf(bytes);
const sha512 = digestOf(bytes, 'sha512');
const locationOf = (reference: string) =>
  ['Location', `http://manifix.test:5000/v2/team/app/manifests/${reference}`] as const;
const digestIs = (digest: string) => ['Docker-Content-Digest', digest] as const;

function apply(headers: HeaderList, overrides: Partial<ResponseView> = {}, reference = 'latest') {
  const request = manifestPutView(bytes, { route: manifestRoute(reference) });
  return manifestPutStatusAndDigest.response?.(responseView({ request, status: 201, headers, ...overrides }), {});
}

describe('manifest-put-status-and-digest', () => {
  it.each([200, 202, 204])('makes 201 of %s', (status) => {
    expect(apply([digestIs(sha256), locationOf(sha256)], { status })).toEqual({
      note: `answered ${status} with 201 and the digest of what was pushed`,
      status: 201,
      headers: [digestIs(sha256), locationOf(sha256)],
    });
  });

  it.each([
    ['no digest and no Location', []],
    ['a digest that is none', [digestIs('2510'), locationOf(sha256)]],
    ['a Location with another digest', [digestIs(sha256), locationOf(someDigest)]],
    [
      'a Location elsewhere',
      [digestIs(sha256), ['Location', 'https://registry.test/v2/team/app/manifests/latest'] as const],
    ],
  ])('announces the digest of what was pushed in place of %s', (_, headers) => {
    const change = apply(headers);
    expect(change).toMatchObject({ status: 201, headers: [digestIs(sha256), locationOf(sha256)] });
    expect(apply(change?.headers ?? [])).toBeUndefined();
  });

  it('uses the algorithm of the reference', () => {
    expect(apply([], {}, sha512)?.headers).toEqual([digestIs(sha512), locationOf(sha512)]);
    expect(apply([digestIs(sha256), locationOf(sha256)], {}, sha512)?.headers).toEqual([
      digestIs(sha512),
      locationOf(sha512),
    ]);
  });

  it.each([someDigest, digestOf(Buffer.from('x'), 'sha512')])(
    'does not paper over content that became %s',
    (reported) => {
      const change = apply([digestIs(reported), locationOf(reported)]);
      expect(change?.note).toBe('refused an answer with the digest of other content');
      expect(change?.refuse).toMatchObject({ code: 'UNKNOWN', status: 502, fix: 'manifest-put-status-and-digest' });
      expect(change?.refuse?.explanation).toContain(`says that it stored ${reported}`);
      expect(change?.refuse?.explanation).toContain(digestOf(bytes, reported === someDigest ? 'sha256' : 'sha512'));
    },
  );

  it('leaves healthy answers alone, a Location with the tag and another right digest included', () => {
    expect(apply([digestIs(sha256), locationOf(sha256)])).toBeUndefined();
    expect(apply([digestIs(sha256), locationOf('latest')])).toBeUndefined();
    expect(apply([digestIs(sha512), locationOf('latest')])).toBeUndefined();
    expect(apply([digestIs(sha256), locationOf(sha256)], {}, sha256)).toBeUndefined();
  });

  it('leaves schema 1 alone, whose digest is not that of the body', () => {
    const request = manifestPutView('{"schemaVersion":1,"fsLayers":[]}');
    expect(apply([digestIs(someDigest)], { request })).toBeUndefined();
  });

  it('leaves errors, redirects, other requests and bodies that were not read alone', () => {
    expect(apply([], { status: 400 })).toBeUndefined();
    expect(apply([], { status: 307 })).toBeUndefined();
    expect(apply([], { status: 103 })).toBeUndefined();
    expect(apply([], { request: requestView({ method: 'PUT', hasBody: true }) })).toBeUndefined();
    expect(apply([], { request: requestView({ method: 'DELETE' }), status: 202 })).toBeUndefined();
    expect(apply([], { request: requestView({ method: 'PUT', route: uploadRoute() }) })).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { digestOf, hexOf } from '../../src/domain/digest.ts';
import { dockerContentDigestBad } from '../../src/fixes/docker-content-digest-bad.ts';
import { blobRoute, manifestView, requestView, responseView, someDigest } from '../support/views.ts';

const body = '{"schemaVersion":2}';
const right = digestOf(Buffer.from(body));
const announced = (value: string) => [['Docker-Content-Digest', value]] as const;
const manifest = (value: string, text = body) =>
  dockerContentDigestBad.manifest?.(manifestView({ body: text, headers: announced(value) }), {});
const blob = (value: string, status = 200) =>
  dockerContentDigestBad.response?.(
    responseView({ request: requestView({ method: 'HEAD', route: blobRoute() }), status, headers: announced(value) }),
    {},
  );

describe('docker-content-digest-bad', () => {
  it.each([
    ['without its algorithm', hexOf(right)],
    ['in capitals', right.toUpperCase()],
    ['of other bytes', someDigest],
    ['in another algorithm than was asked for', digestOf(Buffer.from(body), 'sha512')],
    ['that is empty', ''],
  ])('corrects a digest %s', (_, value) => {
    expect(manifest(value)).toEqual({ note: `replaced Docker-Content-Digest by ${right}`, headers: announced(right) });
  });

  it('corrects what is said about a blob by the digest it was asked for', () => {
    expect(blob(right)?.headers).toEqual(announced(someDigest));
    expect(blob('sha256:1234', 206)?.headers).toEqual(announced(someDigest));
  });

  it('leaves right, missing and unrelated digests alone', () => {
    expect(manifest(right)).toBeUndefined();
    expect(dockerContentDigestBad.manifest?.(manifestView(), {})).toBeUndefined();
    expect(blob(someDigest)).toBeUndefined();
    expect(blob('sha256:1234', 404)).toBeUndefined();
  });

  it('believes the registry about the signed part of schema 1, unless it says nothing readable', () => {
    const schema1 = '{"schemaVersion":1,"fsLayers":[]}';
    expect(manifest(someDigest, schema1)).toBeUndefined();
    expect(manifest('nonsense', schema1)?.headers).toEqual(announced(digestOf(Buffer.from(schema1))));
    expect(dockerContentDigestBad.manifest?.(manifestView({ body: schema1 }), {})).toBeUndefined();
  });
});

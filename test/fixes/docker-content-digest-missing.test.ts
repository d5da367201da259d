import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { dockerContentDigestMissing } from '../../src/fixes/docker-content-digest-missing.ts';
import type { ResponseView } from '../../src/fixes/fix.ts';
import { blobRoute, manifestView, requestView, responseView, someDigest, uploadRoute } from '../support/views.ts';

const answer = (overrides: Partial<ResponseView>) => dockerContentDigestMissing.response?.(responseView(overrides), {});
const blobRequest = (method: string) => requestView({ method, route: blobRoute() });

describe('docker-content-digest-missing', () => {
  it('announces the digest of the bytes, in sha256 by tag', () => {
    const digest = digestOf(Buffer.from('{}'));
    expect(dockerContentDigestMissing.manifest?.(manifestView({ body: '{}' }), {})).toEqual({
      note: `added Docker-Content-Digest ${digest}`,
      headers: [['Docker-Content-Digest', digest]],
    });
  });

  it('announces the digest that was asked for, in its algorithm', () => {
    const digest = digestOf(Buffer.from('{}'), 'sha512');
    const change = dockerContentDigestMissing.manifest?.(manifestView({ body: '{}', reference: digest }), {});
    expect(change?.headers).toEqual([['Docker-Content-Digest', digest]]);
  });

  it.each([
    ['GET', 200],
    ['GET', 206],
    ['HEAD', 200],
  ])('completes a blob answered to %s with %i', (method, status) => {
    const headers: HeaderList = [['Content-Length', '3']];
    const change = answer({ request: blobRequest(method), status, headers });
    expect(change?.headers).toEqual([...headers, ['Docker-Content-Digest', someDigest]]);
    expect(answer({ request: blobRequest(method), status, headers: change?.headers ?? [] })).toBeUndefined();
  });

  it('leaves a header alone that is there, whatever it says', () => {
    const headers: HeaderList = [['docker-content-digest', '']];
    expect(dockerContentDigestMissing.manifest?.(manifestView({ headers }), {})).toBeUndefined();
    expect(answer({ request: blobRequest('GET'), headers })).toBeUndefined();
  });

  it('claims nothing about answers without the blob', () => {
    expect(answer({ request: blobRequest('GET'), status: 404 })).toBeUndefined();
    expect(answer({ request: blobRequest('GET'), status: 304 })).toBeUndefined();
    expect(answer({ request: blobRequest('DELETE'), status: 200 })).toBeUndefined();
    expect(answer({ request: requestView({ route: uploadRoute() }), status: 200 })).toBeUndefined();
  });
});

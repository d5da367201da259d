import { describe, expect, it } from 'vitest';
import { explainErrors, parseErrors } from '../../src/domain/errors.ts';
import type { ResponseView } from '../../src/fixes/fix.ts';
import { opaqueErrors } from '../../src/fixes/opaque-errors.ts';
import { sampleImage } from '../support/images.ts';
import { manifestPutView, requestView, responseView, someDigest, uploadRoute } from '../support/views.ts';

function apply(body: string, overrides: Partial<ResponseView> = {}) {
  const errors = parseErrors(Buffer.from(body)) ?? [];
  return opaqueErrors.response?.(responseView({ status: 400, errors, ...overrides }), {});
}

const put = requestView({ method: 'PUT', route: uploadRoute(), query: `digest=${someDigest}`, hasBody: true });
const invalid = '{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid","detail":{}}]}';

describe('opaque-errors', () => {
  it.each([
    [
      'MANIFEST_INVALID',
      '{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid","detail":{"Value":"string","Type":{},"Offset":12,"Struct":"","Field":""}}]}',
      manifestPutView('"$manifests"'),
      'The body is the text "$manifests"',
    ],
    [
      'MANIFEST_BLOB_UNKNOWN',
      `{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry","detail":"${someDigest}"}]}`,
      manifestPutView('{}'),
      `The manifest names ${someDigest}`,
    ],
    ['BLOB_UNKNOWN', '{"errors":[{"code":"BLOB_UNKNOWN"}]}', manifestPutView('{}'), 'The manifest names something'],
    [
      'BLOB_UPLOAD_INVALID',
      '{"errors":[{"code":"BLOB_UPLOAD_INVALID","message":"blob upload invalid","detail":212}]}',
      { ...put, query: `_state=a?digest=${someDigest}` },
      'The URL has a second ?',
    ],
    ['BLOB_UPLOAD_UNKNOWN', '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}', put, 'The URL carries no upload state'],
    [
      'DIGEST_INVALID',
      '{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match uploaded content","detail":{"Digest":"x","Reason":{}}}]}',
      put,
      `does not have the digest ${someDigest}`,
    ],
    ['DENIED', '{"errors":[{"code":"DENIED"}]}', requestView(), 'does not allow reading the repository team/app'],
  ])('explains %s', (code, body, request, expected) => {
    const change = apply(body, { request });
    expect(change?.note).toBe(`explained ${code}`);
    expect(change?.explain).toContain(expected);
  });

  it('explains the 500 of a chunk by its type, and no other 500', () => {
    const body = '{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{}}]}';
    const request = requestView({
      method: 'PATCH',
      route: uploadRoute(),
      headers: [['Content-Type', 'application/json']],
    });
    expect(apply(body, { request, status: 500 })?.explain).toContain('The chunk was sent as application/json');
    expect(apply(body, { request: put, status: 500 })).toBeUndefined();
    expect(apply(body, { request, status: 503 })).toBeUndefined();
  });

  it('looks at what the registry got, after all repairs', () => {
    const request = { ...put, query: `_state=a?digest=${someDigest}` };
    const sent = { ...put, query: `_state=a&digest=${someDigest}` };
    const body = '{"errors":[{"code":"BLOB_UPLOAD_INVALID"}]}';
    expect(apply(body, { request, sent })?.explain).toContain('The upload session has moved on or is over');
  });

  it.each([415, 422])('reads a refused body with %s too', (status) => {
    expect(apply('{"errors":[{"code":"UNSUPPORTED"}]}', { request: manifestPutView(''), status })?.explain).toContain(
      'An empty body arrived',
    );
  });

  it('blames the body only for refusals of the body', () => {
    const denied = '{"errors":[{"code":"DENIED"}]}';
    expect(apply(denied, { request: manifestPutView(''), status: 403 })?.explain).toContain('does not allow writing');
    expect(apply('{"errors":[{"code":"BLOB_UNKNOWN"}]}', { status: 404 })).toBeUndefined();
    expect(
      apply(invalid, {
        request: manifestPutView(sampleImage('oci-amd64').bytes, {
          headers: [['Content-Type', sampleImage('oci-amd64').mediaType]],
        }),
      }),
    ).toBeUndefined();
  });

  it('adds nothing twice and nothing to what is no error', () => {
    expect(apply(invalid, { request: manifestPutView(''), explained: true })).toBeUndefined();
    expect(apply('{"errors":[]}')).toBeUndefined();
    expect(opaqueErrors.response?.(responseView({ status: 404 }), {})).toBeUndefined();
  });

  it('keeps code, message and what the registry said', () => {
    const errors =
      parseErrors(
        Buffer.from('{"errors":[{"code":"BLOB_UPLOAD_INVALID","message":"blob upload invalid","detail":212}]}'),
      ) ?? [];
    const explain = apply(JSON.stringify({ errors }), { request: put })?.explain ?? '';
    expect(explainErrors(errors, explain, opaqueErrors.id)).toEqual([
      {
        code: 'BLOB_UPLOAD_INVALID',
        message: 'blob upload invalid',
        detail: { registry: 212, manifix: `${explain} See docs/fixes/opaque-errors.md.` },
      },
    ]);
  });
});

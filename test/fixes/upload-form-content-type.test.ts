import { describe, expect, it } from 'vitest';
import type { RequestView } from '../../src/fixes/fix.ts';
import { uploadFormContentType } from '../../src/fixes/upload-form-content-type.ts';
import { manifestRoute, requestView, someDigest, uploadRoute, uploadStartRoute } from '../support/views.ts';

const FORM = 'application/x-www-form-urlencoded';

function apply(type: string | undefined, overrides: Partial<RequestView> = {}) {
  const headers = type === undefined ? [] : ([['content-type', type]] as const);
  const view = requestView({ method: 'PUT', route: uploadRoute(), hasBody: true, headers, ...overrides });
  return uploadFormContentType.request?.(view, {});
}

const repaired = {
  note: 'Content-Type set to application/octet-stream',
  headers: [['Content-Type', 'application/octet-stream']],
};

describe('upload-form-content-type', () => {
  it.each([
    ['the form that curl --data-binary says', FORM, {}],
    ['JSON in a chunk', 'application/json', { method: 'PATCH' }],
    ['a parameter that is compared as part of the type', 'application/octet-stream; charset=binary', {}],
    ['nothing', undefined, {}],
    ['a form with a single POST', FORM, { method: 'POST', route: uploadStartRoute(), query: `digest=${someDigest}` }],
  ])('declares a blob as plain bytes instead of %s', (_, type, overrides) => {
    expect(apply(type, overrides)).toEqual(repaired);
  });

  it('leaves plain bytes, requests without a body and other requests alone', () => {
    expect(apply('application/octet-stream')).toBeUndefined();
    expect(apply(FORM, { hasBody: false })).toBeUndefined();
    expect(apply(FORM, { method: 'POST', route: uploadStartRoute() })).toBeUndefined();
    expect(apply(FORM, { route: uploadStartRoute(), query: 'digest=x' })).toBeUndefined();
    expect(apply(FORM, { method: 'DELETE' })).toBeUndefined();
    expect(apply(FORM, { route: manifestRoute() })).toBeUndefined();
  });
});

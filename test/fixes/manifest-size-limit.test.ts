import { describe, expect, it } from 'vitest';
import type { ResponseView } from '../../src/fixes/fix.ts';
import { manifestSizeLimit } from '../../src/fixes/manifest-size-limit.ts';
import { manifestPutView, requestView, responseView, uploadRoute } from '../support/views.ts';

const tooLarge = { code: 'MANIFEST_INVALID', message: 'manifest invalid', detail: 'http: request body too large' };

const apply = (overrides: Partial<ResponseView> = {}) =>
  manifestSizeLimit.response?.(
    responseView({ request: manifestPutView('{"schemaVersion":2}'), status: 400, errors: [tooLarge], ...overrides }),
    {},
  );

describe('manifest-size-limit', () => {
  it('answers 413 and says how big the manifest is', () => {
    const change = apply();
    expect(change).toMatchObject({ note: '400 made into 413', status: 413 });
    expect(change?.explain).toMatch(/^The manifest has 19 bytes, which is more than the registry takes/);
    expect(apply({ status: 413 })).toBeUndefined();
  });

  it('finds the reason in the message as well, and among several errors', () => {
    const errors = [
      { code: 'UNKNOWN', detail: { x: 1 } },
      { code: 'MANIFEST_INVALID', message: 'http: request body too large' },
    ];
    expect(apply({ errors })?.status).toBe(413);
  });

  it('says less of a manifest that was not read, and nothing where another fix did', () => {
    expect(apply({ request: requestView({ method: 'PUT', hasBody: true }) })?.explain).toMatch(
      /^The manifest is more than the registry takes/,
    );
    expect(apply({ explained: true })).toEqual({ note: '400 made into 413', status: 413 });
  });

  it('leaves other errors and other requests alone', () => {
    expect(apply({ errors: [{ code: 'MANIFEST_INVALID', message: 'manifest invalid', detail: {} }] })).toBeUndefined();
    const request = requestView({ method: 'PUT', route: uploadRoute() });
    expect(apply({ request })).toBeUndefined();
    expect(apply({ request: requestView() })).toBeUndefined();
    expect(
      manifestSizeLimit.response?.(responseView({ request: manifestPutView('{}'), status: 400 }), {}),
    ).toBeUndefined();
  });
});

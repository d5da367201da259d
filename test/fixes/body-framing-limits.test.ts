import { describe, expect, it } from 'vitest';
import { bodyFramingLimits } from '../../src/fixes/body-framing-limits.ts';
import type { ResponseView } from '../../src/fixes/fix.ts';
import { manifestRoute, requestView, responseView, uploadRoute, uploadStartRoute } from '../support/views.ts';

const patch = requestView({ method: 'PATCH', route: uploadRoute(), hasBody: true });
const errors = [{ code: 'SIZE_INVALID', message: 'too much' }];
const apply = (overrides: Partial<ResponseView>) =>
  bodyFramingLimits.response?.(responseView({ request: patch, status: 413, errors, ...overrides }), {});

describe('body-framing-limits', () => {
  it('says that the next push comes in chunks', () => {
    expect(apply({ status: 411 })).toEqual({
      note: 'explained 411',
      explain: expect.stringMatching(/takes no body without a Content-Length.*push again/),
    });
    expect(apply({ request: { ...patch, method: 'PUT' } })?.explain).toMatch(
      /takes no body of this size.*push again.*client_max_body_size/,
    );
  });

  it('has nothing to say about other answers and requests, or what is explained', () => {
    expect(bodyFramingLimits.response?.(responseView({ request: patch, status: 413 }), {})).toBeUndefined();
    expect(apply({ status: 400 })).toBeUndefined();
    expect(apply({ explained: true })).toBeUndefined();
    expect(apply({ request: { ...patch, method: 'GET' } })).toBeUndefined();
    expect(apply({ request: { ...patch, route: uploadStartRoute() } })).toBeUndefined();
    expect(apply({ request: { ...patch, method: 'PUT', route: manifestRoute() } })).toBeUndefined();
  });
});

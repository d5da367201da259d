import { describe, expect, it } from 'vitest';
import type { RequestView } from '../../src/fixes/fix.ts';
import { singlePostMonolithic } from '../../src/fixes/single-post-monolithic.ts';
import { requestView, someDigest, uploadRoute, uploadStartRoute } from '../support/views.ts';

const apply = (overrides: Partial<RequestView> = {}) =>
  singlePostMonolithic.request?.(
    requestView({
      method: 'POST',
      route: uploadStartRoute(),
      query: `x=%20&digest=${someDigest}`,
      hasBody: true,
      ...overrides,
    }),
    {},
  );

describe('single-post-monolithic', () => {
  it('opens a session without the digest and sends the body to it with the digest', () => {
    const change = apply();
    expect(change).toEqual({
      note: 'made one POST into a session and a PUT',
      query: 'x=%20',
      splitUpload: { digest: someDigest },
    });
    expect(apply({ query: change?.query ?? '' })).toBeUndefined();
  });

  it('leaves sessions, mounts, POSTs without a body and other requests alone', () => {
    expect(apply({ query: '' })).toBeUndefined();
    expect(apply({ hasBody: false })).toBeUndefined();
    expect(apply({ query: `mount=${someDigest}&from=other&digest=${someDigest}` })).toBeUndefined();
    expect(apply({ method: 'PUT' })).toBeUndefined();
    expect(apply({ route: uploadRoute() })).toBeUndefined();
  });
});

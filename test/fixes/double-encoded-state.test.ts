import { describe, expect, it } from 'vitest';
import { doubleEncodedState } from '../../src/fixes/double-encoded-state.ts';
import { requestView, someDigest, uploadRoute, uploadStartRoute } from '../support/views.ts';

const apply = (query: string, route = uploadRoute()) =>
  doubleEncodedState.request?.(requestView({ method: 'PATCH', route, query }), {});

describe('double-encoded-state', () => {
  it('takes back the second encoding of the state and touches nothing else', () => {
    const repaired = `_state=eyJ-_%3D%3D&digest=${someDigest}`;
    expect(apply(`_state=eyJ-_%253D%253D&digest=${someDigest}`)).toEqual({
      note: 'decoded the upload state once',
      query: repaired,
    });
    expect(apply(repaired)).toBeUndefined();
  });

  it('repairs whatever name a registry gives its state', () => {
    expect(apply('token=a%252Fb')?.query).toBe('token=a%2Fb');
  });

  it('leaves state that was encoded once, the digest and other addresses alone', () => {
    expect(apply('_state=a%3D%3D')).toBeUndefined();
    expect(apply('digest=sha256%253Aab')).toBeUndefined();
    expect(apply('_state=a%253D', uploadStartRoute())).toBeUndefined();
  });
});

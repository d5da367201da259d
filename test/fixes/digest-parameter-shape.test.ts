import { describe, expect, it } from 'vitest';
import { digestParameterShape } from '../../src/fixes/digest-parameter-shape.ts';
import { manifestRoute, requestView, someDigest, uploadRoute, uploadStartRoute } from '../support/views.ts';

const hex = someDigest.slice('sha256:'.length);

const apply = (query: string, route = uploadRoute()) =>
  digestParameterShape.request?.(requestView({ method: 'PUT', route, query }), {});

describe('digest-parameter-shape', () => {
  it.each([
    ['bare hex', hex],
    ['capitals', `sha256:${hex.toUpperCase()}`],
    ['a newline from $(...)', `${someDigest}%0A`],
  ])('puts %s into the form that registries take', (_, value) => {
    const repaired = `_state=a%20b+c&digest=${someDigest}`;
    expect(apply(`_state=a%20b+c&digest=${value}`)).toEqual({
      note: 'put the digest parameter into its form',
      query: repaired,
    });
    expect(apply(repaired)).toBeUndefined();
  });

  it('does so for a blob that comes with the POST', () => {
    expect(apply(`digest=${hex}`, uploadStartRoute())?.query).toBe(`digest=${someDigest}`);
  });

  it('leaves right digests, other parameters, what is no digest and other addresses alone', () => {
    expect(apply(`digest=${someDigest}`)).toBeUndefined();
    expect(apply(`digest=sha256%3A${hex}`)).toBeUndefined();
    expect(apply(`mount=${hex}&from=x`, uploadStartRoute())).toBeUndefined();
    expect(apply('digest=39cb81dc')).toBeUndefined();
    expect(apply('')).toBeUndefined();
    expect(apply(`digest=${hex}`, manifestRoute())).toBeUndefined();
  });
});

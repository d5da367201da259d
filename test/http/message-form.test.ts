import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import { checkForm } from '../../src/http/message-form.ts';

function refusal(httpVersion: string, fields = 1): number | undefined {
  const rawHeaders = Array.from({ length: fields * 2 }, () => 'x');
  try {
    // The two members that the check reads.
    checkForm({ httpVersion, rawHeaders } as Parameters<typeof checkForm>[0]);
    return undefined;
  } catch (error) {
    return error instanceof RegistryError ? error.status : Number.NaN;
  }
}

describe('the form of a request', () => {
  it.each(['1.0', '1.1'])('is right with HTTP/%s', (version) => {
    expect(refusal(version)).toBeUndefined();
  });

  it.each(['0.9', '2.0', '3.0'])('is refused with HTTP/%s, which Node takes for its own', (version) => {
    expect(refusal(version)).toBe(505);
  });

  it('is refused with as many fields as Node reads at most, because there may have been more', () => {
    expect(refusal('1.1', 1_999)).toBeUndefined();
    expect(refusal('1.1', 2_000)).toBe(431);
  });
});

import { expect, it } from 'vitest';
import { challengeMissing } from '../../src/fixes/challenge-missing.ts';

it('challenge-missing is on, and has no hooks: what it does needs I/O', () => {
  expect(challengeMissing.defaultMode).toBe('on');
  expect([challengeMissing.request, challengeMissing.manifest, challengeMissing.response]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

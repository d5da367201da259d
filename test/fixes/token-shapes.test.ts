import { expect, it } from 'vitest';
import { tokenShapes } from '../../src/fixes/token-shapes.ts';

it('token-shapes is on, and has no hooks: what it does needs I/O', () => {
  expect(tokenShapes.defaultMode).toBe('on');
  expect([tokenShapes.request, tokenShapes.manifest, tokenShapes.response]).toEqual([undefined, undefined, undefined]);
});

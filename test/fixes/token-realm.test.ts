import { expect, it } from 'vitest';
import { tokenRealm } from '../../src/fixes/token-realm.ts';

it('token-realm is on, and has no hooks: what it does needs I/O', () => {
  expect(tokenRealm.defaultMode).toBe('on');
  expect([tokenRealm.request, tokenRealm.manifest, tokenRealm.response]).toEqual([undefined, undefined, undefined]);
});

import { expect, test } from 'vitest';
import { isRedirectStatus } from '../../src/domain/redirect.ts';

test.each([301, 302, 303, 307, 308])('%i names another place for the same request', (status) => {
  expect(isRedirectStatus(status)).toBe(true);
});

test.each([200, 201, 300, 304, 305, 404])('%i does not', (status) => {
  expect(isRedirectStatus(status)).toBe(false);
});

import { expect, it } from 'vitest';
import { readsOnlySchema1 } from '../../src/domain/engines.ts';

it.each([
  ['docker/1.9.1 go/go1.4.2 kernel/3.10', true],
  ['docker/1.6', true],
  ['docker/1.10.3 go/go1.5.3', false],
  ['docker/20.10.24', false],
  ['containerd/1.6.20', false],
  [undefined, false],
])('%s reads only schema 1: %j', (userAgent, expected) => {
  expect(readsOnlySchema1(userAgent)).toBe(expected);
});

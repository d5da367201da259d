import { expect, it } from 'vitest';
import { isPlatform } from '../../src/domain/platform.ts';

it.each(['linux/amd64', 'linux/arm/v7', 'windows/amd64', 'linux/x86_64'])('takes %s for a platform', (text) => {
  expect(isPlatform(text)).toBe(true);
});

it.each(['', 'arm', 'linux/', 'Linux/amd64', 'linux/arm/v7/x', 'linux/amd 64'])('takes %j for none', (text) => {
  expect(isPlatform(text)).toBe(false);
});

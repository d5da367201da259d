import { expect, it } from 'vitest';
import { bar, formatWarmed } from '../../src/commands/warm-progress.ts';

it('shows how much of what is planned has come', () => {
  expect(bar(0, 0)).toBe(`[${' '.repeat(30)}]  0%  0 B of 0 B`);
  expect(bar(512, 1024)).toBe(`[${'='.repeat(15)}${' '.repeat(15)}] 50%  512 B of 1 KiB`);
  expect(bar(2048, 1024)).toMatch(/^\[={30}\]100%/);
});

it('tells each failure below its image', () => {
  const result = { reference: 'app:1', images: 1, blobs: 1, bytes: 5, failures: ['layer 1: 404 blob unknown'] };
  expect(formatWarmed(result)).toBe('app:1  incomplete\n  layer 1: 404 blob unknown');
  expect(formatWarmed({ ...result, failures: [] })).toBe('app:1  1 image, 1 blob, 5 B');
});

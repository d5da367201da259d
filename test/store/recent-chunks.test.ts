import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRecentChunks } from '../../src/store/recent-chunks.ts';
import { sample } from './support/bytes.ts';

const { bytes } = sample(5_000);

/** Chunks of these lengths, cut from the sample one behind the other. */
function pushed(lengths: readonly number[]) {
  const chunks = createRecentChunks();
  for (const length of lengths) chunks.push(bytes.subarray(chunks.end, chunks.end + length));
  return chunks;
}

const lengths = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 40 });

describe('recent chunks', () => {
  it('give the bytes of any position that is still there, up to the limit, and nothing otherwise', () => {
    fc.assert(
      fc.property(lengths, fc.nat(4_000), fc.nat(4_000), fc.nat(2_000), (sizes, position, limit, forgotten) => {
        const chunks = pushed(sizes);
        chunks.trim(forgotten, 0, 0);
        const chunk = chunks.at(position, limit);
        const isThere = position >= chunks.start && position < Math.min(chunks.end, limit);
        expect(chunk !== undefined).toBe(isThere);
        if (chunk === undefined) return;
        expect(chunk.length).toBeGreaterThan(0);
        expect(position + chunk.length).toBeLessThanOrEqual(limit);
        expect(bytes.subarray(position, position + chunk.length).equals(chunk)).toBe(true);
      }),
    );
  });

  it('give all bytes from a position on', () => {
    fc.assert(
      fc.property(lengths, fc.nat(4_000), (sizes, position) => {
        const chunks = pushed(sizes);
        const rest = Buffer.concat(chunks.from(Math.min(position, chunks.end)));
        expect(rest.equals(bytes.subarray(Math.min(position, chunks.end), chunks.end))).toBe(true);
      }),
    );
  });

  it('forget whole old chunks only, none that is needed, and no more than is too much', () => {
    fc.assert(
      fc.property(lengths, fc.nat(4_000), fc.nat(2_000), fc.nat(40), (sizes, needed, keepBytes, keepCount) => {
        const chunks = pushed(sizes);
        const { end } = chunks;
        chunks.trim(needed, keepBytes, keepCount);
        const starts = sizes.map((_, index) => sizes.slice(0, index).reduce((sum, size) => sum + size, 0));
        expect([...starts, end]).toContain(chunks.start);
        expect(chunks.end).toBe(end);
        expect(chunks.start).toBeLessThanOrEqual(Math.min(needed, end));
        const isWithin = end - chunks.start <= keepBytes && chunks.count <= keepCount;
        const firstLength = sizes[sizes.length - chunks.count] ?? 0;
        expect(isWithin || chunks.count === 0 || chunks.start + firstLength > needed).toBe(true);
      }),
    );
  });
});

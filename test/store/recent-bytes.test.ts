import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBufferPool } from '../../src/lib/buffer-pool.ts';
import { BLOCK_BYTES, createRecentBytes } from '../../src/store/recent-bytes.ts';
import { KIB, MIB, sample } from './support/bytes.ts';

const { bytes } = sample(3 * MIB);

/** Chunks of these lengths, cut from the sample one behind the other. */
function pushed(lengths: readonly number[], size?: number) {
  const pool = createBufferPool(64 * MIB);
  const recent = createRecentBytes(pool, () => size);
  for (const length of lengths) recent.push(bytes.subarray(recent.end, recent.end + length));
  return { recent, pool };
}

const lengths = fc.array(fc.integer({ min: 1, max: 200 * KIB }), { minLength: 1, maxLength: 15 });
const place = fc.nat(3 * MIB);

describe('recent bytes', () => {
  it('are given for any position that is still there, up to the limit, and not otherwise', () => {
    fc.assert(
      fc.property(lengths, place, place, place, (sizes, position, limit, forgotten) => {
        const { recent } = pushed(sizes);
        recent.trim(forgotten, 0);
        const lent = recent.at(position, limit);
        expect(lent !== undefined).toBe(position >= recent.start && position < Math.min(recent.end, limit));
        if (lent === undefined) return;
        expect(lent.bytes.length).toBeGreaterThan(0);
        expect(position + lent.bytes.length).toBeLessThanOrEqual(limit);
        expect(bytes.subarray(position, position + lent.bytes.length).equals(lent.bytes)).toBe(true);
      }),
    );
  });

  it('are given from a position on, all or as many as are wanted', () => {
    fc.assert(
      fc.property(lengths, place, fc.option(place, { nil: undefined }), (sizes, position, most) => {
        const { recent } = pushed(sizes);
        const from = Math.min(position, recent.end);
        const wanted = bytes.subarray(from, Math.min(recent.end, from + (most ?? recent.end)));
        const pieces = recent.from(from, most);
        expect(Buffer.concat(pieces).equals(wanted)).toBe(true);
        expect(pieces.every(({ length }) => length > 0)).toBe(true);
      }),
    );
  });

  it('are forgotten from the oldest on, none that is needed, and no more than is too much', () => {
    fc.assert(
      fc.property(lengths, place, place, (sizes, needed, keepBytes) => {
        const { recent } = pushed(sizes);
        const { end } = recent;
        recent.trim(needed, keepBytes);
        expect(recent.end).toBe(end);
        expect(recent.start).toBeLessThanOrEqual(Math.min(needed, end));
        const isWithin = end - recent.start <= keepBytes;
        expect(isWithin || recent.start + BLOCK_BYTES > needed || recent.start === end).toBe(true);
      }),
    );
  });

  it('stay as they are while they are lent, and their memory is used again afterwards', () => {
    const { recent, pool } = pushed([2 * BLOCK_BYTES]);
    const lent = recent.at(0, BLOCK_BYTES);
    const before = Buffer.from(lent?.bytes ?? []);
    recent.trim(recent.end, 0);
    expect(pool.lent).toBe(BLOCK_BYTES);
    recent.push(bytes.subarray(recent.end, recent.end + BLOCK_BYTES));
    expect(before.equals(lent?.bytes ?? Buffer.alloc(0))).toBe(true);
    lent?.giveBack();
    recent.clear();
    expect(pool.lent).toBe(0);
  });

  it('that were given up never come back into use', () => {
    const { recent, pool } = pushed([BLOCK_BYTES]);
    const lent = recent.at(0, BLOCK_BYTES);
    lent?.giveUp();
    recent.clear();
    expect(pool.lent).toBe(0);
    expect(pool.take(BLOCK_BYTES).buffer).not.toBe(lent?.bytes.buffer);
  });

  it('of a small blob take no more memory than it has bytes', () => {
    const { pool, recent } = pushed([100], 100);
    expect(pool.lent).toBe(0);
    expect(recent.at(0, 100)?.bytes.buffer.byteLength).toBe(100);
  });
});

import { describe, expect, it } from 'vitest';
import { createBlobGenerator, wholeBlob } from '../../bench/data/blob.ts';
import { MIB } from '../../bench/data/sizes.ts';
import { digestOf } from '../../src/domain/digest.ts';

const SIZES = [0, 5, 16, 64, MIB + 3, 16 * MIB, 33 * MIB + 1];

describe('a generated blob', () => {
  it.each(SIZES)('of %i bytes has the digest of its bytes', (size) => {
    const blob = createBlobGenerator()(7, size);
    expect(wholeBlob(blob)).toHaveLength(size);
    expect(blob.digest()).toBe(digestOf(wholeBlob(blob)));
  });

  it('is the same for the same seed and another for another', () => {
    const [one, other] = [createBlobGenerator(), createBlobGenerator()];
    expect(one(1, MIB).digest()).toBe(other(1, MIB).digest());
    expect(one(1, MIB).digest()).not.toBe(one(2, MIB).digest());
  });

  it('matches its own bytes wherever they are cut', () => {
    const blob = createBlobGenerator()(3, 33 * MIB);
    const bytes = wholeBlob(blob);
    for (const [start, end] of [
      [0, 10],
      [10, 40],
      [16 * MIB - 5, 16 * MIB + 5],
      [0, bytes.length],
    ] as const) {
      expect(blob.matches(start, bytes.subarray(start, end))).toBe(true);
    }
  });

  it.each([0, 15, 16, 16 * MIB, 33 * MIB - 1])('does not match when byte %i differs', (position) => {
    const blob = createBlobGenerator()(3, 33 * MIB);
    const bytes = wholeBlob(blob);
    bytes.writeUInt8(bytes.readUInt8(position) ^ 1, position);
    expect(blob.matches(0, bytes)).toBe(false);
  });

  it('does not match bytes behind its end', () => {
    const blob = createBlobGenerator()(3, 20);
    expect(blob.matches(0, Buffer.concat([wholeBlob(blob), Buffer.from('x')]))).toBe(false);
  });
});

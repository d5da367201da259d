import { describe, expect, it } from 'vitest';
import { createStartKeeper } from '../../src/lib/kept-start.ts';

const bytes = (length: number) => new Uint8Array(length);

describe('the kept start of a body', () => {
  it('has every piece, as it was', () => {
    const kept = createStartKeeper(10, 100)();
    const pieces = [bytes(4), bytes(6)];
    for (const piece of pieces) kept.add(piece);
    const taken = kept.take();
    expect(taken?.length).toBe(2);
    expect(taken?.every((piece, at) => piece === pieces[at])).toBe(true);
  });

  it('is given up for good when the body is too long', () => {
    const kept = createStartKeeper(10, 100)();
    kept.add(bytes(10));
    kept.add(bytes(1));
    kept.add(bytes(1));
    expect(kept.take()).toBeUndefined();
  });

  it('shares its room with all others, and gives it back', () => {
    const keep = createStartKeeper(10, 15);
    const [first, second, third] = [keep(), keep(), keep()];
    first.add(bytes(10));
    second.add(bytes(10));
    expect(second.take()).toBeUndefined();
    expect(first.take()).toHaveLength(1);
    expect(first.take()).toBeUndefined();
    third.add(bytes(10));
    expect(third.take()).toHaveLength(1);
  });
});

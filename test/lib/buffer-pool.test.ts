import { describe, expect, it } from 'vitest';
import { createBufferPool } from '../../src/lib/buffer-pool.ts';

describe('a buffer pool', () => {
  it('gives a buffer again only after it was given back, and only for its size', () => {
    const pool = createBufferPool(1000);
    const first = pool.take(100);
    const second = pool.take(100);
    expect(second).not.toBe(first);
    pool.give(first);
    expect(pool.take(200)).not.toBe(first);
    expect(pool.take(100)).toBe(first);
    expect(pool.take(100)).not.toBe(first);
  });

  it('keeps no more idle bytes than it may', () => {
    const pool = createBufferPool(150);
    const [one, two] = [pool.take(100), pool.take(100)];
    pool.give(one);
    pool.give(two);
    expect(pool.take(100)).toBe(one);
    expect(pool.take(100)).not.toBe(two);
  });

  it('keeps what is in use now rather than what a burst of another size left behind', () => {
    const pool = createBufferPool(200);
    const burst = [pool.take(100), pool.take(100)];
    const now = pool.take(50);
    for (const buffer of burst) pool.give(buffer);
    pool.give(now);
    expect(pool.take(50)).toBe(now);
  });

  it('knows how many bytes are out', () => {
    const pool = createBufferPool(100);
    const [one, two, three] = [pool.take(100), pool.take(100), pool.take(50)];
    expect(pool.lent).toBe(250);
    pool.give(one);
    pool.give(two);
    pool.giveUp(three);
    expect(pool.lent).toBe(0);
    pool.take(100);
    expect(pool.lent).toBe(100);
  });
});

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
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenBucket } from '../../src/lib/token-bucket.ts';

const size = fc.record({
  perSecond: fc.double({ min: 0.01, max: 1_000, noNaN: true }),
  burst: fc.integer({ min: 1, max: 50 }),
});
const pauses = fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 100 });

describe('a token bucket', () => {
  it('never lets more happen than the rate allows in the time, plus one burst', () => {
    fc.assert(
      fc.property(size, pauses, ({ perSecond, burst }, steps) => {
        let now = 0;
        const bucket = createTokenBucket({ perSecond, burst }, () => now);
        const taken: number[] = [];
        for (const step of steps) {
          now += step;
          for (let tries = 0; tries < 5 && bucket.wait() === 0; tries += 1) {
            bucket.take();
            taken.push(now);
          }
        }
        // In every stretch of time, not only from the start on.
        for (const [first, from] of taken.entries()) {
          for (const [index, to] of taken.slice(first).entries()) {
            expect(index + 1).toBeLessThanOrEqual(((to - from) / 1_000) * perSecond + burst + 1e-6);
          }
        }
      }),
    );
  });

  it('says exactly how long the next event has to wait', () => {
    fc.assert(
      fc.property(size, ({ perSecond, burst }) => {
        let now = 0;
        const bucket = createTokenBucket({ perSecond, burst }, () => now);
        for (let count = 0; count < burst; count += 1) bucket.take();
        const wait = bucket.wait();
        expect(wait).toBeCloseTo(1_000 / perSecond, 3);
        now += wait + 0.001;
        expect(bucket.wait()).toBe(0);
      }),
    );
  });

  it('neither gives nor takes anything when the clock is set back', () => {
    let now = 1_000_000;
    const bucket = createTokenBucket({ perSecond: 1, burst: 2 }, () => now);
    bucket.take();
    now -= 500_000;
    expect(bucket.wait()).toBe(0);
    bucket.take();
    expect(bucket.wait()).toBe(1_000);
    now += 1_000;
    expect(bucket.wait()).toBe(0);
  });

  it('keeps what was used when its size changes, and gives nothing away', () => {
    let now = 0;
    const bucket = createTokenBucket({ perSecond: 1, burst: 10 }, () => now);
    for (let count = 0; count < 10; count += 1) bucket.take();
    bucket.resize({ perSecond: 2, burst: 100 });
    expect(bucket.wait()).toBe(500);
    now += 500;
    expect(bucket.wait()).toBe(0);
    bucket.resize({ perSecond: 2, burst: 1 });
    bucket.take();
    expect(bucket.wait()).toBe(500);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSharedRate, type Flow, type SharedRate } from '../../src/lib/shared-rate.ts';
import { createManualClock } from '../store/support/manual-clock.ts';

interface Sender {
  sent: number;
  stopped: boolean;
}

/** Sends chunks of one size for as long as nobody stops it; `passed` hears of each. */
function send(shared: SharedRate, chunk: number, passed: (amount: number) => void): Sender {
  const sender: Sender = { sent: 0, stopped: false };
  const flow = shared.flow();
  const pass = async () => {
    while (!sender.stopped) {
      await flow.pass(chunk);
      sender.sent += chunk;
      passed(chunk);
    }
  };
  void pass();
  return sender;
}

/** Lets promises settle that wait for nothing but each other. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}

describe('a shared rate', () => {
  it('never lets more pass than it allows, plus a tenth of a second and one chunk, however many share it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1_000, max: 1_000_000 }),
        fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 }),
        async (rate, chunks, steps) => {
          const clock = createManualClock();
          const shared = createSharedRate(clock, rate);
          const from = clock.now();
          let total = 0;
          const bound = () => ((clock.now() - from) / 1_000) * rate + rate / 10 + Math.max(...chunks);
          const senders = chunks.map((chunk) =>
            send(shared, chunk, (amount) => {
              total += amount;
            }),
          );
          for (const step of steps) {
            clock.advance(step);
            await turns();
            expect(total).toBeLessThanOrEqual(bound() + 1e-6);
          }
          for (const sender of senders) sender.stopped = true;
          shared.setRate(Number.POSITIVE_INFINITY);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('gives as much to each that wants more than its share', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 500, max: 2_000 }), fc.integer({ min: 2, max: 8 }), async (chunk, count) => {
        const clock = createManualClock();
        const shared = createSharedRate(clock, 1_000_000);
        // What may pass at once after a rest is gone.
        expect(shared.flow().pass(100_001)).toBeUndefined();
        const senders = Array.from({ length: count }, () => send(shared, chunk, () => undefined));
        for (let step = 0; step < 100; step += 1) {
          clock.advance(10);
          await turns();
        }
        for (const sender of senders) sender.stopped = true;
        const amounts = senders.map(({ sent }) => sent);
        expect(Math.max(...amounts) - Math.min(...amounts)).toBeLessThanOrEqual(2 * chunk);
        shared.setRate(Number.POSITIVE_INFINITY);
      }),
      { numRuns: 20 },
    );
  });

  it('lets what is small pass first, and counts four of it like one of four times the size', async () => {
    const clock = createManualClock();
    const shared = createSharedRate(clock, 1_000);
    expect(shared.flow().pass(200)).toBeUndefined();
    const [large, small] = [shared.flow(), shared.flow()];
    const order: string[] = [];
    const always = async (name: string, flow: Flow, amount: number) => {
      for (let count = 0; count < 6; count += 1) {
        await flow.pass(amount);
        order.push(name);
      }
    };
    const both = Promise.all([always('large', large, 400), always('small', small, 100)]);
    for (let step = 0; step < 400; step += 1) {
      clock.advance(10);
      await turns();
    }
    await both;
    // Four small ones make a large one.
    expect(order.slice(0, 6)).toEqual(['small', 'small', 'small', 'large', 'small', 'small']);
  });

  it('holds nobody up as long as it is not used up, and needs no timer for it', () => {
    const clock = createManualClock();
    const shared = createSharedRate(clock, 1_000);
    const flow = shared.flow();
    expect(flow.pass(60)).toBeUndefined();
    expect(shared.isFree).toBe(true);
    expect(flow.pass(60)).toBeUndefined();
    expect(shared.isFree).toBe(false);
    clock.advance(21);
    expect(shared.isFree).toBe(true);
  });

  it('wakes all with one timer, in turns', async () => {
    const clock = createManualClock();
    const shared = createSharedRate(clock, 1_000);
    expect(shared.flow().pass(200)).toBeUndefined();
    const order: string[] = [];
    const waiting = (name: string, flow: Flow) => void flow.pass(100)?.then(() => order.push(name));
    const [a, b] = [shared.flow(), shared.flow()];
    waiting('a', a);
    waiting('b', b);
    await clock.waitedFor(100);
    clock.advance(101);
    await turns();
    expect(order).toEqual(['a']);
    waiting('a again', a);
    clock.advance(100);
    await turns();
    expect(order).toEqual(['a', 'b']);
    clock.advance(100);
    await turns();
    expect(order).toEqual(['a', 'b', 'a again']);
  });

  it('lets go of one that ends, and of all when there is no rate any more', async () => {
    const clock = createManualClock();
    const shared = createSharedRate(clock, 1_000);
    expect(shared.flow().pass(10_000)).toBeUndefined();
    const [gone, other] = [shared.flow(), shared.flow()];
    const ended = gone.pass(100);
    const held = other.pass(100);
    gone.end();
    await ended;
    shared.setRate(Number.POSITIVE_INFINITY);
    await held;
    expect(other.pass(1e12)).toBeUndefined();
    shared.setRate(1_000);
    expect(other.pass(1e6)).toBeUndefined();
    expect(other.pass(1)).toBeInstanceOf(Promise);
  });
});

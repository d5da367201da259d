import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSlots } from '../../src/lib/slots.ts';

const { signal } = new AbortController();

describe('slots', () => {
  it('are given in the order of arrival, one for each that is freed', async () => {
    const slots = createSlots(2);
    const first = await slots.acquire(signal);
    await slots.acquire(signal);
    const order: number[] = [];
    const waiting = [1, 2, 3].map(async (number) => {
      const free = await slots.acquire(signal);
      order.push(number);
      return free;
    });
    first();
    first();
    const second = await waiting[0];
    expect(order).toEqual([1]);
    second?.();
    (await waiting[1])?.();
    await waiting[2];
    expect(order).toEqual([1, 2, 3]);
  });

  it('pass over those who gave up', async () => {
    const slots = createSlots(1);
    const free = await slots.acquire(signal);
    const controller = new AbortController();
    const given = slots.acquire(controller.signal);
    const next = slots.acquire(signal);
    controller.abort(new Error('gone'));
    await expect(given).rejects.toThrow('gone');
    await expect(slots.acquire(controller.signal)).rejects.toThrow('gone');
    free();
    (await next)();
    (await slots.acquire(signal))();
  });

  it('go to groups in turns, however long the queue of one is', async () => {
    const slots = createSlots(1);
    const free = await slots.acquire(signal, 'flood');
    const order: string[] = [];
    const enter = async (group: string, name: string) => {
      const leave = await slots.acquire(signal, group);
      order.push(name);
      leave();
    };
    const flood = Array.from({ length: 100 }, (_, index) => enter('flood', `flood ${index}`));
    const others = [enter('quiet', 'quiet 0'), enter('quiet', 'quiet 1'), enter('late', 'late 0')];
    free();
    await Promise.all([...flood, ...others]);
    expect(order.slice(0, 6)).toEqual(['flood 0', 'quiet 0', 'late 0', 'flood 1', 'quiet 1', 'flood 2']);
    expect(order.length).toBe(103);
  });

  it('share evenly among groups that always want more, and never give more places than there are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 2, maxLength: 6 }),
        async (count, queues) => {
          const slots = createSlots(0);
          const served: number[] = [];
          let inside = 0;
          const enter = async (group: number) => {
            const leave = await slots.acquire(signal, String(group));
            inside += 1;
            expect(inside).toBeLessThanOrEqual(count);
            served.push(group);
            await Promise.resolve();
            inside -= 1;
            leave();
          };
          const entries = queues.flatMap((length, group) => Array.from({ length }, () => enter(group)));
          slots.resize(count);
          await Promise.all(entries);
          // As long as all wait, nobody is more than one turn ahead.
          const shared = served.slice(0, Math.min(...queues) * queues.length);
          const counts = queues.map((_, group) => shared.filter((one) => one === group).length);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it('become more or fewer while they are used', async () => {
    const slots = createSlots(1);
    const first = await slots.acquire(signal);
    const waiting = slots.acquire(signal);
    slots.resize(2);
    const second = await waiting;
    slots.resize(1);
    const third = slots.acquire(signal);
    let entered = false;
    void third.then(() => {
      entered = true;
    });
    first();
    await Promise.resolve();
    expect(entered).toBe(false);
    second();
    (await third)();
  });
});

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
});

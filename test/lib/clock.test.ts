import { afterEach, describe, expect, it, vi } from 'vitest';
import { delay, systemClock } from '../../src/lib/clock.ts';
import { createManualClock } from '../store/support/manual-clock.ts';

describe('the system clock', () => {
  it('calls back later, and not at all when it was cancelled', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const cancel = systemClock.after(0, () => resolve('cancelled'));
    cancel();
    // The clock keeps no process alive; the test's own timer does.
    const guard = setTimeout(() => undefined, 10_000);
    systemClock.after(1, () => resolve('later'));
    expect(await promise).toBe('later');
    clearTimeout(guard);
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
  });
});

describe('what is to happen later', () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  /** Time by the finest clock, and timers that go by another one. */
  function begin(milliseconds: number) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const fine = vi.spyOn(performance, 'now').mockReturnValue(0);
    const action = vi.fn();
    const cancel = systemClock.after(milliseconds, action);
    const pass = (timers: number, now: number) => {
      fine.mockReturnValue(now);
      vi.advanceTimersByTime(timers);
    };
    return { action, cancel, pass };
  }

  it('does not happen when a timer calls back early, but when its time has come', () => {
    const { action, pass } = begin(10);
    pass(20, 9.9);
    expect(action).not.toHaveBeenCalled();
    pass(1, 10);
    expect(action).toHaveBeenCalledOnce();
  });

  it('can be cancelled also then', () => {
    const { action, cancel, pass } = begin(10);
    pass(20, 9.9);
    cancel();
    pass(10, 20);
    expect(action).not.toHaveBeenCalled();
  });

  it('may be further away than any timer reaches', () => {
    const [reach, month] = [2 ** 31 - 1, 30 * 86_400_000];
    const { action, pass } = begin(month);
    pass(reach, reach);
    expect(action).not.toHaveBeenCalled();
    pass(month - reach, month);
    expect(action).toHaveBeenCalledOnce();
  });
});

describe('a delay', () => {
  it('is over by the finest clock when it ends', async () => {
    const guard = setTimeout(() => undefined, 10_000);
    for (let round = 0; round < 50; round += 1) {
      const startedAt = performance.now();
      await delay(systemClock, 2, new AbortController().signal);
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(2);
    }
    clearTimeout(guard);
  });

  it('ends at its time', async () => {
    const clock = createManualClock();
    const delayed = delay(clock, 100, new AbortController().signal);
    clock.advance(100);
    await expect(delayed).resolves.toBeUndefined();
  });

  it('ends with the signal, before or while it runs', async () => {
    const clock = createManualClock();
    const controller = new AbortController();
    const delayed = delay(clock, 100, controller.signal);
    controller.abort(new Error('stop'));
    await expect(delayed).rejects.toThrow('stop');
    await expect(delay(clock, 100, controller.signal)).rejects.toThrow('stop');
  });
});

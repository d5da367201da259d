import { describe, expect, it } from 'vitest';
import { createThrottle } from '../../src/lib/throttle.ts';
import { createManualClock } from '../store/support/manual-clock.ts';

const { signal } = new AbortController();

describe('a throttle', () => {
  it('lets a little work pass at once and holds up the rest for as long as the rate says', async () => {
    const clock = createManualClock();
    const throttle = createThrottle(clock, () => 1000);
    expect(throttle.spend(49, signal)).toBeUndefined();
    const held = throttle.spend(51, signal);
    await clock.waitedFor(100);
    clock.advance(100);
    await expect(held).resolves.toBeUndefined();
  });

  it('saves up nothing while there is no work', async () => {
    const clock = createManualClock();
    const throttle = createThrottle(clock, () => 1000);
    clock.advance(60_000);
    expect(throttle.spend(100, signal)).toBeInstanceOf(Promise);
    await clock.waitedFor(100);
  });

  it('follows a rate that changes, and is not stopped for long by a clock that is set back', async () => {
    const clock = createManualClock();
    let rate = 10;
    const throttle = createThrottle(clock, () => rate);
    expect(throttle.spend(10, signal)).toBeInstanceOf(Promise);
    clock.advance(-86_400_000);
    rate = 1000;
    expect(throttle.spend(100, signal)).toBeInstanceOf(Promise);
    await clock.waitedFor(1100);
  });

  it('ends with the signal', async () => {
    const controller = new AbortController();
    const held = createThrottle(createManualClock(), () => 1).spend(1, controller.signal);
    controller.abort(new Error('stop'));
    await expect(held).rejects.toThrow('stop');
  });
});

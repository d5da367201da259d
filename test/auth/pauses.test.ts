import { describe, expect, it } from 'vitest';
import { createPauses, networkOf } from '../../src/auth/pauses.ts';

describe('pauses after wrong passwords', () => {
  function stage(max?: number) {
    const clock = { time: 0 };
    return { clock, pauses: createPauses({ free: 3, longest: 10_000 }, () => clock.time, max) };
  }

  it('begin after the free ones, double with each, and end somewhere', () => {
    const { clock, pauses } = stage();
    const seen = Array.from({ length: 9 }, () => {
      pauses.failed('bob');
      const left = pauses.left('bob');
      clock.time += left;
      return left;
    });
    expect(seen).toEqual([0, 0, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
    expect(pauses.left('bob')).toBe(0);
  });

  it('are for that name alone, and get shorter as time passes', () => {
    const { clock, pauses } = stage();
    for (let count = 0; count < 4; count += 1) pauses.failed('bob');
    clock.time = 500;
    expect([pauses.left('bob'), pauses.left('ann')]).toEqual([1_500, 0]);
  });

  it('are forgotten after a right password, and after a quarter of an hour', () => {
    const { clock, pauses } = stage();
    for (const name of ['bob', 'ann']) for (let count = 0; count < 4; count += 1) pauses.failed(name);
    pauses.succeeded('bob');
    expect(pauses.left('bob')).toBe(0);
    clock.time = 15 * 60_000;
    pauses.failed('ann');
    expect(pauses.left('ann')).toBe(0);
  });

  it('are kept for so many names; whoever failed the longest time ago is forgotten', () => {
    const { pauses } = stage(2);
    for (const name of ['a', 'b', 'a', 'b', 'a', 'b', 'c', 'c', 'c']) pauses.failed(name);
    expect(['a', 'b', 'c'].map((name) => pauses.left(name) > 0)).toEqual([false, true, true]);
  });
});

describe('the network of an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

import { describe, expect, it } from 'vitest';
import { createProven } from '../../src/auth/proven.ts';

const MINUTE = 60_000;

describe('credentials that were right', () => {
  function stage(max?: number) {
    const clock = { time: 0 };
    return { clock, proven: createProven(() => clock.time, max) };
  }

  it('are fresh for five minutes and known for a day', () => {
    const { clock, proven } = stage();
    const seal = proven.seal('file', 'bob', 'secret');
    proven.add(seal, 'hash');
    const seen = [0, 5 * MINUTE - 1, 5 * MINUTE, 24 * 60 * MINUTE - 1, 24 * 60 * MINUTE].map((time) => {
      clock.time = time;
      return proven.when(seal, 'hash');
    });
    expect(seen).toEqual(['now', 'now', 'lately', 'lately', undefined]);
  });

  it('prove nothing any more against another hash', () => {
    const { proven } = stage();
    const seal = proven.seal('bob', 'secret');
    proven.add(seal, 'hash');
    expect(proven.when(seal, 'other')).toBeUndefined();
    expect(proven.when(seal, 'hash')).toBeUndefined();
  });

  it('are told apart in all their parts, and by every process in a way of its own', () => {
    const { proven } = stage();
    const seals = [
      proven.seal('a', 'b:c'),
      proven.seal('a:b', 'c'),
      proven.seal('a', 'b', 'c'),
      stage().proven.seal('a', 'b:c'),
    ];
    expect(new Set(seals).size).toBe(4);
    expect(proven.seal('a', 'b:c')).toBe(seals[0]);
  });

  it('are so many at most; those that nobody used for the longest time go first', () => {
    const { proven } = stage(2);
    proven.add('a', 'hash');
    proven.add('b', 'hash');
    proven.when('a', 'hash');
    proven.add('c', 'hash');
    expect(['a', 'b', 'c'].map((seal) => proven.when(seal, 'hash'))).toEqual(['now', undefined, 'now']);
  });
});

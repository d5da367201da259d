import { describe, expect, it } from 'vitest';
import { createShortMemory } from '../../src/lib/short-memory.ts';

function memoryOf(max: number) {
  const clock = { now: 0 };
  return { clock, memory: createShortMemory<{ text: string }>(max, () => clock.now) };
}

describe('a short memory', () => {
  it('gives an answer back until its time is over', () => {
    const { clock, memory } = memoryOf(10);
    memory.put('long', { text: 'a' }, 2_000);
    memory.put('short', { text: 'b' }, 1_000);
    clock.now = 1_000;
    expect(memory.get('long')).toEqual({ text: 'a' });
    expect(memory.get('short')).toBeUndefined();
  });

  it('keeps nothing for no time, and what replaced something', () => {
    const { memory } = memoryOf(10);
    memory.put('one', { text: 'a' }, 1_000);
    memory.put('one', { text: 'b' }, 1_000);
    expect(memory.get('one')).toEqual({ text: 'b' });
    memory.put('one', { text: 'c' }, 0);
    expect(memory.get('one')).toBeUndefined();
  });

  it('forgets the oldest when it is full, and everything when told', () => {
    const { memory } = memoryOf(2);
    for (const name of ['a', 'b', 'c']) memory.put(name, { text: name }, 1_000);
    expect(memory.get('a')).toBeUndefined();
    expect(memory.get('c')).toEqual({ text: 'c' });
    memory.clear();
    expect(memory.get('c')).toBeUndefined();
  });
});

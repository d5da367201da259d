import { expect, it } from 'vitest';
import { createSizedMemory } from '../../src/lib/sized-memory.ts';

it('gives back what was put, until it is deleted or all is cleared', () => {
  const memory = createSizedMemory<string>(100);
  memory.put('a', 'one', 10);
  memory.put('b', 'two', 10);
  expect([memory.get('a'), memory.get('b'), memory.get('c')]).toEqual(['one', 'two', undefined]);
  memory.delete('a');
  memory.delete('c');
  expect(memory.get('a')).toBeUndefined();
  memory.clear();
  expect(memory.get('b')).toBeUndefined();
});

it('lets the oldest go when the room is used up, and counts what was replaced once', () => {
  const memory = createSizedMemory<number>(100);
  for (let time = 0; time < 10; time += 1) memory.put('same', time, 25);
  for (const name of ['a', 'b', 'c']) memory.put(name, 0, 25);
  expect(memory.get('same')).toBe(9);
  memory.put('d', 0, 1);
  expect([memory.get('same'), memory.get('a')]).toEqual([undefined, 0]);
});

it('does not keep what would push out all others, and forgets what it was put in place of', () => {
  const memory = createSizedMemory<number>(100);
  memory.put('a', 1, 25);
  memory.put('b', 1, 25);
  memory.put('a', 2, 26);
  expect([memory.get('a'), memory.get('b')]).toEqual([undefined, 1]);
});

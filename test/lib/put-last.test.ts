import { expect, test } from 'vitest';
import { putLast } from '../../src/lib/put-last.ts';

test('what was put the longest time ago makes room', () => {
  const map = new Map([['a', 1]]);
  putLast(map, 'b', 2, 2);
  putLast(map, 'c', 3, 2);
  expect([...map]).toEqual([
    ['b', 2],
    ['c', 3],
  ]);
});

test('an entry that is put again is the newest, and takes the place of no other', () => {
  const map = new Map([
    ['a', 1],
    ['b', 2],
  ]);
  putLast(map, 'a', 3, 2);
  expect([...map]).toEqual([
    ['b', 2],
    ['a', 3],
  ]);
});

import { describe, expect, it } from 'vitest';
import { createKeyedQueue } from '../../src/lib/keyed-queue.ts';
import { barrier } from '../support/deadline.ts';

describe('a keyed queue', () => {
  it('runs tasks of one key in order and those of other keys meanwhile', async () => {
    const queue = createKeyedQueue<string>();
    const gate = barrier();
    const events: string[] = [];
    const task = (name: string, until?: Promise<void>) => async () => {
      events.push(`${name} begins`);
      await until;
      events.push(`${name} ends`);
      return name;
    };
    const first = queue.run('a', task('first', gate.passed));
    const second = queue.run('a', task('second'));
    expect(await queue.run('b', task('other'))).toBe('other');
    gate.release();
    expect(await Promise.all([first, second])).toEqual(['first', 'second']);
    expect(events).toEqual([
      'first begins',
      'other begins',
      'other ends',
      'first ends',
      'second begins',
      'second ends',
    ]);
  });

  it('goes on behind a task that fails, and forgets keys that are done', async () => {
    const queue = createKeyedQueue<string>();
    const failing = queue.run('a', () => Promise.reject(new Error('no')));
    const next = queue.run('a', async () => 'yes');
    expect(queue.isBusy('a')).toBe(true);
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('yes');
    await Promise.resolve();
    expect(queue.isBusy('a')).toBe(false);
  });
});

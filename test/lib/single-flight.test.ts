import { describe, expect, it } from 'vitest';
import { singleFlight } from '../../src/lib/single-flight.ts';

/** A task whose runs the test ends by hand. */
function manualTask() {
  const runs: PromiseWithResolvers<string>[] = [];
  const task = () => {
    const run = Promise.withResolvers<string>();
    runs.push(run);
    return run.promise;
  };
  return { runs, task };
}

describe('a single flight', () => {
  it('gives all who come while it runs the outcome of one run', async () => {
    const { runs, task } = manualTask();
    const flight = singleFlight<string>();
    const answers = [flight('a', task), flight('a', task), flight('a', task)];
    expect(runs).toHaveLength(1);
    runs[0]?.resolve('one');
    expect(await Promise.all(answers)).toEqual(['one', 'one', 'one']);
  });

  it('does not mix keys', async () => {
    const flight = singleFlight<string>();
    const answers = ['a', 'b', '__proto__'].map((key) => flight(key, async () => key));
    expect(await Promise.all(answers)).toEqual(['a', 'b', '__proto__']);
  });

  it('gives all the same failure, and runs anew after it', async () => {
    const { runs, task } = manualTask();
    const flight = singleFlight<string>();
    const answers = Promise.allSettled([flight('a', task), flight('a', task)]);
    const failure = new Error('no');
    runs[0]?.reject(failure);
    expect((await answers).map((answer) => answer.status === 'rejected' && answer.reason)).toEqual([failure, failure]);
    const next = flight('a', task);
    runs[1]?.resolve('yes');
    expect(await next).toBe('yes');
  });

  it('keeps no outcome: the next call after the end runs anew', async () => {
    const flight = singleFlight<string>();
    expect(await flight('a', async () => 'first')).toBe('first');
    expect(await flight('a', async () => 'second')).toBe('second');
  });
});

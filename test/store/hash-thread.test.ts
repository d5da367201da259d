import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { allocateShared } from '../../src/lib/buffer-pool.ts';
import { createHashThread } from '../../src/store/hash-thread.ts';
import { within } from '../support/deadline.ts';

const bytes = Buffer.concat(['a', 'b', 'c'].map((text) => allocateShared(100_000).fill(text)));

function started() {
  const thread = createHashThread();
  return { thread, [Symbol.asyncDispose]: () => thread.close() };
}

describe('the hashing thread', () => {
  it('gives the digest of all pieces, for several jobs at once and each algorithm', async () => {
    await using running = started();
    const jobs = (['sha256', 'sha384', 'sha512'] as const).map((algorithm) => {
      return { algorithm, job: running.thread.start(algorithm, () => undefined) };
    });
    for (let from = 0; from < bytes.length; from += 50_000) {
      for (const { job } of jobs)
        job.update([bytes.subarray(from, from + 25_000), bytes.subarray(from + 25_000, from + 50_000)]);
    }
    for (const { algorithm, job } of jobs) {
      expect(await within(algorithm, job.digest())).toBe(digestOf(bytes, algorithm));
    }
  });

  it('says how much it has read, so that memory is used again only then', async () => {
    await using running = started();
    const counts: number[] = [];
    const job = running.thread.start('sha256', (count) => counts.push(count));
    job.update([bytes.subarray(0, 10)]);
    job.update([bytes.subarray(10, 15), bytes.subarray(15, 30)]);
    await within('the digest', job.digest());
    expect(counts).toEqual([10, 20]);
  });

  it('goes on with the others when a job is cancelled', async () => {
    await using running = started();
    const cancelled = running.thread.start('sha256', () => undefined);
    const job = running.thread.start('sha256', () => undefined);
    cancelled.update([bytes]);
    cancelled.cancel();
    cancelled.cancel();
    job.update([bytes]);
    expect(await within('the digest', job.digest())).toBe(digestOf(bytes));
  });
});

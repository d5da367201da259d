import { join } from 'node:path';
import { downloadBlob } from '../clients/download.ts';
import type { Context } from '../context.ts';
import { SMALL_BLOB, writeCachedBlobs } from '../data/cached-blobs.ts';
import { atMost } from '../report/checks.ts';
import type { Line, RowResult } from '../report/result.ts';
import { createRecorder, medianOf } from '../report/statistics.ts';
import { startManifix } from '../servers/manifix.ts';
import { openPlace } from '../servers/server.ts';
import { startUpstream } from '../servers/upstream.ts';

const COUNT = 100_000;
const LARGE_COUNT = 1_000_000;
/** What manifix calls the upstream that is given on the command line. */
const UPSTREAM_NAME = 'default';

/** P8: the start of manifix on a cache that is full of blobs. */
export async function measureStart(context: Context): Promise<Omit<RowResult, 'id' | 'measure'>> {
  const counts = context.isLarge ? [COUNT, LARGE_COUNT] : [COUNT];
  const lines: Line[] = [];
  for (const count of counts) lines.push(...(await measureWith(context, count)));
  return {
    columns: [
      { key: 'listening', title: 'listening ms', digits: 0 },
      { key: 'hit', title: 'first hit ms', digits: 1 },
    ],
    lines,
    checks: lines.flatMap(({ condition }) => [
      atMost({
        subject: `until it listens (${condition})`,
        actual: medianOf(lines, condition, 'manifix', 'listening'),
        bound: 500,
        unit: ' ms',
        digits: 0,
      }),
      atMost({
        subject: `for the first hit (${condition})`,
        actual: medianOf(lines, condition, 'manifix', 'hit'),
        bound: 10,
        unit: ' ms',
        digits: 1,
      }),
    ]),
    notes: [
      'The time until it listens is that from the start of the process to its line on standard error. The first hit begins with a new connection, and manifix asks the upstream whether the caller may read the repository, as it does after every start.',
    ],
  };
}

async function measureWith(context: Context, count: number): Promise<readonly Line[]> {
  const place = await openPlace(context.stage);
  const upstream = await startUpstream(place);
  const { blob, path } = await upstream.add(Math.floor(count / 2), SMALL_BLOB);
  const cacheDirectory = join(place.directory, 'manifix');
  context.progress(`writing ${count} blobs`);
  writeCachedBlobs(cacheDirectory, UPSTREAM_NAME, count);
  const recorder = createRecorder();
  // The first start compiles; a start after a crash has more to tidy up in the background.
  const ways = [
    { condition: undefined, end: 'SIGTERM' },
    { condition: 'after an orderly stop', end: 'SIGTERM' },
    { condition: 'after an orderly stop', end: 'SIGKILL' },
    { condition: 'after a kill', end: 'SIGTERM' },
  ] as const;
  for (let run = 1; run <= context.runs; run += 1) {
    context.progress(`${count} blobs, run ${run} of ${context.runs}`);
    for (const { condition, end } of ways) {
      const started = performance.now();
      const manifix = await startManifix(place, upstream.url, { cacheDirectory });
      const listening = performance.now() - started;
      const { total } = await downloadBlob(manifix.url + path, blob);
      if (condition !== undefined)
        recorder.record(`${count} blobs, ${condition}`, 'manifix', { listening, hit: total });
      manifix.process.kill(end);
      await manifix.process.exited;
    }
  }
  if ((await upstream.gets(blob.digest())) > 0) throw new Error('manifix asked for a blob that it had');
  return recorder.lines();
}

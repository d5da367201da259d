import { downloadBlob } from '../clients/download.ts';
import { openSlowReader } from '../clients/slow-reader.ts';
import type { Context } from '../context.ts';
import { GIGABIT, MIB } from '../data/sizes.ts';
import { atMost } from '../report/checks.ts';
import type { RowResult } from '../report/result.ts';
import { createRecorder, medianOf, rotated } from '../report/statistics.ts';
import { startCaches } from '../servers/caches.ts';
import { openPlace } from '../servers/server.ts';
import { startUpstream } from '../servers/upstream.ts';

const SIZE = 256 * MIB;
const OTHERS = 4;
const SLOW = 10_000;
const CONDITION = `${OTHERS} others behind a slow one`;

/** P6: the first reader of a cold blob is slow; the others come right behind it. */
export async function measureSlowReader(context: Context): Promise<Omit<RowResult, 'id' | 'measure'>> {
  const place = await openPlace(context.stage);
  const upstream = await startUpstream(place, GIGABIT);
  const caches = await startCaches(place, upstream.url);
  const recorder = createRecorder();
  let seed = 0;
  for (let run = 1; run <= context.runs; run += 1) {
    context.progress(`run ${run} of ${context.runs}`);
    seed += 1;
    const { blob, path } = await upstream.add(seed, SIZE);
    const direct = (await downloadBlob(upstream.url + path, blob)).total;
    recorder.record(CONDITION, 'direct', { slowest: direct });
    for (const cache of rotated(caches, run)) {
      seed += 1;
      const wanted = await upstream.add(seed, SIZE);
      const slow = openSlowReader(cache.url + wanted.path, SLOW);
      await slow.begun;
      const others = Array.from({ length: OTHERS }, () => downloadBlob(cache.url + wanted.path, wanted.blob));
      const slowest = Math.max(...(await Promise.all(others)).map(({ total }) => total));
      const failure = slow.failure();
      slow.close();
      if (failure !== undefined) throw new Error(`${cache.name} gave up on the slow reader`, { cause: failure });
      const gets = await upstream.gets(wanted.digest);
      recorder.record(CONDITION, cache.name, { slowest, factor: slowest / direct, gets });
    }
  }
  const lines = recorder.lines();
  const factor = medianOf(lines, CONDITION, 'manifix', 'factor');
  return {
    columns: [
      { key: 'slowest', title: 'slowest of the others ms', digits: 0 },
      { key: 'factor', title: 'x direct', digits: 2 },
      { key: 'gets', title: 'upstream GETs', digits: 0 },
    ],
    lines,
    checks: [
      atMost({ subject: 'a direct download, for the slowest of the others', actual: factor, bound: 1.1, unit: 'x' }),
    ],
    notes: ['The upstream has 1 Gbit/s for all its answers together; the direct download has it alone.'],
  };
}

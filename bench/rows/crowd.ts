import { downloadBlob } from '../clients/download.ts';
import { forgetPeak, peakResidentBytes, residentBytes } from '../clients/process-usage.ts';
import type { Context } from '../context.ts';
import { MIB } from '../data/sizes.ts';
import { atMost } from '../report/checks.ts';
import type { Line, RowResult } from '../report/result.ts';
import { createRecorder, medianOf, rotated } from '../report/statistics.ts';
import { startCaches } from '../servers/caches.ts';
import { openPlace } from '../servers/server.ts';
import { startUpstream, type UpstreamBlob } from '../servers/upstream.ts';

const CLIENTS = 200;
const SIZE = 64 * MIB;
const CONDITION = `${CLIENTS} clients`;

/** P5: many clients at once want a blob that no cache has. */
export async function measureCrowd(context: Context): Promise<Omit<RowResult, 'id' | 'measure'>> {
  const place = await openPlace(context.stage);
  const upstream = await startUpstream(place);
  const caches = await startCaches(place, upstream.url);
  const recorder = createRecorder();
  let seed = 0;
  for (const { url } of caches) await readAll(url, 1, await upstream.add(seed, MIB));
  const idle = new Map(caches.map((cache) => [cache, residentBytes(cache.pid)]));
  for (let run = 1; run <= context.runs; run += 1) {
    context.progress(`run ${run} of ${context.runs}`);
    for (const cache of rotated(caches, run)) {
      seed += 1;
      const wanted = await upstream.add(seed, SIZE);
      forgetPeak(cache.pid);
      const cold = await readAll(cache.url, CLIENTS, wanted);
      const gets = await upstream.gets(wanted.digest);
      const growth = (peakResidentBytes(cache.pid) - (idle.get(cache) ?? 0)) / MIB;
      const warm = await readAll(cache.url, CLIENTS, wanted);
      recorder.record(CONDITION, cache.name, { gets, cold, warm, factor: cold / warm, growth });
    }
  }
  const lines = recorder.lines();
  return {
    columns: [
      { key: 'gets', title: 'upstream GETs', digits: 0 },
      { key: 'cold', title: 'cold ms', digits: 0 },
      { key: 'warm', title: 'warm ms', digits: 0 },
      { key: 'factor', title: 'x warm', digits: 2 },
      { key: 'growth', title: 'RSS +MiB', digits: 0 },
    ],
    lines,
    checks: [gets(lines), ...limits(lines)],
    notes: [
      'Every client compares every byte with the blob as it has to be; one wrong byte ends the benchmark. The memory is the peak while the blob was cold, above what the idle server had after its first blob.',
    ],
  };
}

/** Milliseconds until the last of the clients has the whole blob. */
async function readAll(origin: string, clients: number, { blob, path }: UpstreamBlob): Promise<number> {
  const started = performance.now();
  await Promise.all(Array.from({ length: clients }, () => downloadBlob(origin + path, blob)));
  return performance.now() - started;
}

function gets(lines: readonly Line[]) {
  const counts = lines.find(({ server }) => server === 'manifix')?.values.gets ?? [];
  return {
    target: 'exactly 1 upstream GET',
    measured: counts.join(', '),
    isMet: counts.length > 0 && counts.every((count) => count === 1),
  };
}

function limits(lines: readonly Line[]) {
  const factor = medianOf(lines, CONDITION, 'manifix', 'factor');
  const growth = medianOf(lines, CONDITION, 'manifix', 'growth');
  return [
    atMost({ subject: 'the time of the same reads when warm', actual: factor, bound: 2, unit: 'x' }),
    atMost({ subject: 'more memory', actual: growth, bound: 200, unit: ' MiB', digits: 0 }),
  ];
}

import { setTimeout as delay } from 'node:timers/promises';
import { downloadBlob } from '../clients/download.ts';
import { forgetPeak, peakResidentBytes, residentBytes } from '../clients/process-usage.ts';
import { openSlowReader, type SlowReader } from '../clients/slow-reader.ts';
import type { Context } from '../context.ts';
import { GIB, MIB } from '../data/sizes.ts';
import { atMost } from '../report/checks.ts';
import type { RowResult } from '../report/result.ts';
import { createRecorder, medianOf } from '../report/statistics.ts';
import { startCaches } from '../servers/caches.ts';
import { openPlace, type Server } from '../servers/server.ts';
import { startUpstream } from '../servers/upstream.ts';

const READERS = 1000;
const SLOW = 1_000;
/** Fewer than what a listening socket keeps waiting. */
const OPENED_AT_ONCE = 100;
const HELD_SECONDS = { quick: 3, full: 15 };

/** P7: many slow readers of one cached blob. */
export async function measureSlowCrowd(context: Context): Promise<Omit<RowResult, 'id' | 'measure'>> {
  const place = await openPlace(context.stage);
  const upstream = await startUpstream(place);
  const caches = await startCaches(place, upstream.url);
  const size = context.isQuick ? 256 * MIB : GIB;
  const { blob, path } = await upstream.add(0, size);
  const idle = new Map<Server, number>();
  for (const cache of caches) {
    await downloadBlob(cache.url + path, blob);
    await downloadBlob(cache.url + path, blob);
    idle.set(cache, residentBytes(cache.pid));
  }
  const condition = `${READERS} readers of ${size / MIB} MiB`;
  const recorder = createRecorder();
  for (let run = 1; run <= context.runs; run += 1) {
    context.progress(`run ${run} of ${context.runs}`);
    for (const cache of caches) {
      forgetPeak(cache.pid);
      await holdReaders(cache, path, context.isQuick ? HELD_SECONDS.quick : HELD_SECONDS.full);
      const before = idle.get(cache) ?? 0;
      const peak = peakResidentBytes(cache.pid);
      recorder.record(condition, cache.name, { idle: before / MIB, peak: peak / MIB, growth: (peak - before) / MIB });
    }
  }
  const lines = recorder.lines();
  const growth = medianOf(lines, condition, 'manifix', 'growth');
  return {
    columns: [
      { key: 'idle', title: 'RSS before MiB', digits: 0 },
      { key: 'peak', title: 'RSS peak MiB', digits: 0 },
      { key: 'growth', title: 'RSS +MiB', digits: 0 },
    ],
    lines,
    checks: [atMost({ subject: 'more memory', actual: growth, bound: 150, unit: ' MiB', digits: 0 })],
    notes: [],
  };
}

async function holdReaders({ name, url }: Server, path: string, seconds: number): Promise<void> {
  const readers: SlowReader[] = [];
  try {
    while (readers.length < READERS) {
      const more = Array.from({ length: OPENED_AT_ONCE }, () => openSlowReader(url + path, SLOW));
      readers.push(...more);
      await Promise.all(more.map(({ begun }) => begun));
    }
    await delay(seconds * 1000);
    const failure = readers.map((reader) => reader.failure()).find((error) => error !== undefined);
    if (failure !== undefined) throw new Error(`${name} gave up on a slow reader`, { cause: failure });
  } finally {
    for (const reader of readers) reader.close();
  }
}

import { join } from 'node:path';
import { downloadBlob } from '../clients/download.ts';
import { processorSeconds } from '../clients/process-usage.ts';
import type { Context } from '../context.ts';
import { settle, writePlainFile } from '../data/plain-file.ts';
import { GIGABIT, MIB } from '../data/sizes.ts';
import { atMost } from '../report/checks.ts';
import type { Check, Line, RowResult, ServerName } from '../report/result.ts';
import { createRecorder, medianOf, rotated } from '../report/statistics.ts';
import { startCaches } from '../servers/caches.ts';
import { openPlace, type Server } from '../servers/server.ts';
import { startUpstream } from '../servers/upstream.ts';

const SIZE = 256 * MIB;
const WARM_UP = 16 * MIB;

interface Speed {
  readonly condition: string;
  readonly bytesPerSecond: number;
  /** How many times a direct download it may take. */
  readonly bound: number;
}

const SPEEDS: readonly Speed[] = [
  { condition: 'upstream at 1 Gbit/s', bytesPerSecond: GIGABIT, bound: 1.05 },
  { condition: 'upstream at memory speed', bytesPerSecond: 0, bound: 1.8 },
];

/** P4: one client, a blob that no cache has. */
export async function measureColdBlob(context: Context): Promise<Omit<RowResult, 'id' | 'measure'>> {
  const lines: Line[] = [];
  for (const speed of SPEEDS) lines.push(...(await measureAt(context, speed)));
  return {
    columns: [
      { key: 'total', title: 'time ms', digits: 0 },
      { key: 'factor', title: 'x direct', digits: 2 },
      { key: 'firstByte', title: 'first byte ms', digits: 1 },
      { key: 'cpuPerGigabyte', title: 'CPU s/GB', digits: 2 },
    ],
    lines,
    checks: SPEEDS.flatMap((speed) => judge(lines, speed)),
    notes: [
      'Every download is of another blob; before it starts, what was left to write is on disk and the kernel has free memory at hand. `plain file` is the time to write as many bytes to the file system of the caches, without a sync: no cache that stores while it sends can be much faster. docker-registry stores by a second download from the upstream that may go on after the first.',
    ],
  };
}

async function measureAt(context: Context, { condition, bytesPerSecond }: Speed): Promise<readonly Line[]> {
  const place = await openPlace(context.stage);
  const upstream = await startUpstream(place, bytesPerSecond);
  const direct: Server = { name: 'direct', url: upstream.url, pid: upstream.pid };
  const caches = await startCaches(place, upstream.url);
  const recorder = createRecorder();
  let seed = 0;
  const downloadNew = async (server: Server, size: number) => {
    seed += 1;
    const { blob, path } = await upstream.add(seed, size);
    await settle(place.directory, 2 * SIZE);
    const before = processorSeconds(server.pid);
    const { total, firstByte } = await downloadBlob(server.url + path, blob);
    return { total, firstByte, cpuPerGigabyte: (processorSeconds(server.pid) - before) / (size / 1e9) };
  };
  for (const server of [direct, ...caches]) await downloadNew(server, WARM_UP);
  for (let run = 1; run <= context.runs; run += 1) {
    context.progress(`${condition}, run ${run} of ${context.runs}`);
    const record = (name: ServerName, figures: { readonly total: number }) =>
      recorder.record(condition, name, { ...figures, factor: figures.total / alone.total });
    const alone = await downloadNew(direct, SIZE);
    record('direct', alone);
    for (const server of rotated(caches, run)) record(server.name, await downloadNew(server, SIZE));
    await settle(place.directory, 2 * SIZE);
    record('plain file', { total: writePlainFile(join(place.directory, `plain-${run}`), SIZE) });
  }
  return recorder.lines();
}

function judge(lines: readonly Line[], { condition, bound }: Speed): readonly Check[] {
  const firstByte = (server: 'manifix' | 'direct') => medianOf(lines, condition, server, 'firstByte');
  const where = condition.replace('upstream ', '');
  const factor = medianOf(lines, condition, 'manifix', 'factor');
  const delay = firstByte('manifix') - firstByte('direct');
  return [
    atMost({ subject: `a direct download ${where}`, actual: factor, bound, unit: 'x' }),
    atMost({ subject: `to the first byte beyond direct ${where}`, actual: delay, bound: 5, unit: ' ms', digits: 1 }),
  ];
}

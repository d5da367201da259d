import type { HeaderList } from '../../src/domain/headers.ts';
import { forgetPeak, peakResidentBytes, processorSeconds } from '../clients/process-usage.ts';
import { runWrk } from '../clients/wrk.ts';
import type { Context } from '../context.ts';
import { MIB } from '../data/sizes.ts';
import type { Column, Line } from '../report/result.ts';
import { createRecorder } from '../report/statistics.ts';
import type { Server } from '../servers/server.ts';

export const HIT_COLUMNS: readonly Column[] = [
  { key: 'requests', title: 'req/s', digits: 0 },
  { key: 'gigabytes', title: 'GB/s', digits: 2 },
  { key: 'share', title: '% of bare Node', digits: 0 },
  { key: 'p50', title: 'p50 ms', digits: 2 },
  { key: 'p99', title: 'p99 ms', digits: 2 },
  { key: 'cpuPerRequest', title: 'CPU us/req', digits: 1 },
  { key: 'cpuPerGigabyte', title: 'CPU s/GB', digits: 2 },
  { key: 'resident', title: 'RSS MiB', digits: 0 },
];

/** Those that tell something of tiny answers, and those of answers that take seconds each. */
export const MANIFEST_COLUMNS = without('gigabytes', 'cpuPerGigabyte');
export const BIG_BLOB_COLUMNS = without('requests', 'p50', 'p99', 'cpuPerRequest');

function without(...keys: readonly string[]): readonly Column[] {
  return HIT_COLUMNS.filter(({ key }) => !keys.includes(key));
}

export interface HitLoad {
  readonly condition: string;
  readonly path: string;
  readonly headers?: HeaderList;
  readonly connections: number;
  /** Of the client; one when it is not said. */
  readonly threads?: number;
  /** No two requests are equal. */
  readonly distinct?: boolean;
}

/** What the lines with two threads are for. */
export const TWO_THREADS =
  'One thread of wrk cannot take bytes faster than it reads them, which is where sendfile ends first; the lines with 2 threads show what comes when the client may use both cores.';

/** Loads every server with every load, run by run, so that a busy moment of the machine hits all of them alike. */
export async function measureHits(
  context: Context,
  servers: readonly Server[],
  loads: readonly HitLoad[],
): Promise<readonly Line[]> {
  const recorder = createRecorder();
  for (const load of loads) {
    for (const server of servers) await runWrk({ ...load, url: server.url + load.path, seconds: 1 });
    for (let run = 1; run <= context.runs; run += 1) {
      context.progress(`${load.condition}, run ${run} of ${context.runs}`);
      const measured = new Map<Server, Readonly<Record<string, number>>>();
      for (const server of servers) measured.set(server, await measureOnce(context, server, load));
      const ceiling = [...measured].find(([{ name }]) => name === 'bare Node')?.[1].gigabytes ?? Number.NaN;
      for (const [{ name }, figures] of measured) {
        const share = ((figures.gigabytes ?? Number.NaN) / ceiling) * 100;
        recorder.record(load.condition, name, name === 'bare Node' ? figures : { ...figures, share });
      }
    }
  }
  return recorder.lines();
}

async function measureOnce({ seconds }: Context, server: Server, { path, ...how }: HitLoad) {
  forgetPeak(server.pid);
  const before = processorSeconds(server.pid);
  const load = await runWrk({ ...how, url: server.url + path, seconds });
  const processor = processorSeconds(server.pid) - before;
  return {
    requests: load.requests / load.seconds,
    gigabytes: load.bytes / load.seconds / 1e9,
    p50: load.p50,
    p99: load.p99,
    cpuPerRequest: (processor / load.requests) * 1e6,
    cpuPerGigabyte: processor / (load.bytes / 1e9),
    resident: peakResidentBytes(server.pid) / MIB,
    failed: load.failed,
  };
}

/** A sentence for every load that lost connections; their figures are too low or too high. */
export function lostConnections(lines: readonly Line[]): readonly string[] {
  return lines.flatMap(({ condition, server, values }) => {
    const failed = (values.failed ?? []).reduce((sum, count) => sum + count, 0);
    return failed === 0 ? [] : [`${server}, ${condition}: ${failed} connections failed or timed out.`];
  });
}

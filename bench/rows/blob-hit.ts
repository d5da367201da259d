import type { Context } from '../context.ts';
import type { Image } from '../data/image.ts';
import { REPOSITORY } from '../data/sizes.ts';
import { atLeast } from '../report/checks.ts';
import type { Check, Column, Line, RowResult, ServerName } from '../report/result.ts';
import { medianOf } from '../report/statistics.ts';
import { startHitServers, type Wanted } from './hit-servers.ts';
import { BIG_BLOB_COLUMNS, HIT_COLUMNS, lostConnections, measureHits, TWO_THREADS } from './hits.ts';

interface BlobHit {
  readonly layer: (image: Image) => Image['smallLayer'];
  readonly way: Wanted['way'];
  /** The first one is judged. */
  readonly connections: readonly [number, ...number[]];
  readonly columns: readonly Column[];
  /** How many times as fast as whom. */
  readonly beat: readonly (readonly [server: ServerName, factor: number])[];
}

/** P2: a big blob from the cache, for a few clients at once. */
export function measureBigBlobHit(context: Context): Promise<Omit<RowResult, 'id' | 'measure'>> {
  return measureBlobHit(context, {
    layer: (image) => image.bigLayer,
    way: 'chunks',
    connections: [4, 1, 32, 256],
    columns: BIG_BLOB_COLUMNS,
    beat: [
      ['nginx proxy_cache', 1.5],
      ['docker-registry', 1.1],
    ],
  });
}

/** P3: a small blob from the cache. */
export function measureSmallBlobHit(context: Context): Promise<Omit<RowResult, 'id' | 'measure'>> {
  return measureBlobHit(context, {
    layer: (image) => image.smallLayer,
    way: 'one-read',
    connections: [32, 1, 256],
    columns: HIT_COLUMNS,
    beat: [
      ['nginx proxy_cache', 0.5],
      ['docker-registry', 10],
    ],
  });
}

async function measureBlobHit(context: Context, row: BlobHit): Promise<Omit<RowResult, 'id' | 'measure'>> {
  let path = '';
  const servers = await startHitServers(context, (image) => {
    const { digest, bytes } = row.layer(image);
    path = `/v2/${REPOSITORY}/blobs/${digest}`;
    return [{ path, bytes, way: row.way }];
  });
  const [judged] = row.connections;
  const loads = row.connections.map((connections) => ({ condition: `c=${connections}`, path, connections }));
  const twoThreads = { condition: `c=${judged}, 2 threads`, path, connections: judged, threads: 2 };
  const lines = await measureHits(context, servers, [...loads, twoThreads]);
  const checks = judge(lines, `c=${judged}`, row.beat);
  return { columns: row.columns, lines, checks, notes: [TWO_THREADS, ...lostConnections(lines)] };
}

function judge(lines: readonly Line[], condition: string, beat: BlobHit['beat']): readonly Check[] {
  const speed = (server: ServerName) => medianOf(lines, condition, server, 'gigabytes');
  const share = medianOf(lines, condition, 'manifix', 'share');
  return [
    ...beat.map(([server, bound]) =>
      atLeast({ subject: server, actual: speed('manifix') / speed(server), bound, unit: 'x' }),
    ),
    atLeast({ subject: 'of bare Node', actual: share, bound: 80, unit: ' %', digits: 0 }),
  ];
}

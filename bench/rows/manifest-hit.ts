import type { Context } from '../context.ts';
import type { Image } from '../data/image.ts';
import { TAG } from '../data/push.ts';
import { REPOSITORY } from '../data/sizes.ts';
import { atLeast } from '../report/checks.ts';
import type { Check, Line, RowResult, ServerName } from '../report/result.ts';
import { medianOf } from '../report/statistics.ts';
import { ACCEPT, startHitServers, type Wanted } from './hit-servers.ts';
import { lostConnections, MANIFEST_COLUMNS, measureHits } from './hits.ts';

const BY_TAG = `/v2/${REPOSITORY}/manifests/${TAG}`;
const byDigest = ({ manifest }: Image) => `/v2/${REPOSITORY}/manifests/${manifest.digest}`;

/** P1: a small manifest from the cache. */
export async function measureManifestHit(context: Context): Promise<Omit<RowResult, 'id' | 'measure'>> {
  let path = '';
  let size = 0;
  const servers = await startHitServers(context, (image) => {
    path = byDigest(image);
    size = image.manifest.bytes.length;
    const common: Omit<Wanted, 'path'> = { bytes: image.manifest.bytes, headers: ACCEPT, way: 'memory' };
    return [
      { ...common, path },
      { ...common, path: BY_TAG },
    ];
  });
  const byConnections = [32, 1, 256].map((connections) => {
    return { condition: `by digest, c=${connections}`, path, headers: ACCEPT, connections };
  });
  const byTag = { condition: 'by tag, c=32', path: BY_TAG, headers: ACCEPT, connections: 32 };
  const twoThreads = { condition: 'by digest, c=32, 2 threads', path, headers: ACCEPT, connections: 32, threads: 2 };
  const lines = await measureHits(context, servers, [...byConnections, twoThreads, byTag]);
  return {
    columns: MANIFEST_COLUMNS,
    lines,
    checks: [...checks(lines, 'by digest, c=32'), ...checks(lines, 'by tag, c=32')],
    notes: [
      `The manifest has ${size} bytes.`,
      'By tag, the pull-through cache of docker-registry asks the upstream every time; manifix and nginx do not while the tag is fresh.',
      ...lostConnections(lines),
    ],
  };
}

function checks(lines: readonly Line[], condition: string): readonly Check[] {
  const rate = (server: ServerName) => medianOf(lines, condition, server, 'requests');
  const how = condition.split(',')[0];
  const beat = (server: ServerName, bound: number) =>
    atLeast({ subject: `${server} (${how})`, actual: rate('manifix') / rate(server), bound, unit: 'x' });
  const share = medianOf(lines, condition, 'manifix', 'share');
  return [
    beat('nginx proxy_cache', 1),
    beat('docker-registry cache', 20),
    atLeast({ subject: `of bare Node (${how})`, actual: share, bound: 80, unit: ' %', digits: 0 }),
  ];
}

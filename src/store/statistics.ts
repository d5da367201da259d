import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { createLayout } from './layout.ts';
import { openReadOnly } from './read-only.ts';

interface Amount {
  readonly count: number;
  readonly bytes: number;
}

/** What a cache directory holds. Times are in ISO 8601, or null when unknown. */
export interface CacheStatistics {
  readonly directory: string;
  readonly blobs: Amount;
  readonly manifests: Amount;
  readonly derivedManifests: Amount;
  readonly tags: number;
  readonly repositories: number;
  /** When the content that is used least recently was used last. */
  readonly oldestUse: string | null;
  /** When the scrubber last came to the end of a round. */
  readonly scrubbed: string | null;
  /** What each endpoint uses, while one of them has a quota; shared content counts for each. Null is without a quota. */
  readonly endpoints: readonly (Amount & { readonly name: string; readonly quota: number | null })[];
  readonly quarantine: Amount;
  /** Downloads under way, or left behind by a process that was killed. */
  readonly unfinished: Amount;
  readonly factsBytes: number;
}

/** @throws an Error whose message is one plain sentence when there is no cache in the directory */
export function requireCache(directory: string): void {
  if (!existsSync(createLayout(directory).contents('blob'))) throw new Error(`There is no cache in ${directory}.`);
}

/**
 * Reads a cache directory without changing anything, whether a manifix runs on it or not.
 * @throws an Error whose message is one plain sentence when there is no cache, or it has another format
 */
export function readStatistics(directory: string): CacheStatistics {
  requireCache(directory);
  const layout = createLayout(directory);
  return {
    directory,
    ...readFacts(layout.facts),
    quarantine: amountIn(layout.quarantine),
    unfinished: amountIn(layout.parts),
    factsBytes: ['', '-wal'].reduce((sum, suffix) => sum + sizeOf(layout.facts + suffix), 0),
  };
}

function readFacts(path: string) {
  const database = openReadOnly(path);
  try {
    return queryFacts(database);
  } finally {
    database.close();
  }
}

function queryFacts(database: DatabaseSync) {
  const amount = (query: string): Amount => {
    const { count, bytes } = row(database, query);
    return { count: Number(count), bytes: Number(bytes ?? 0) };
  };
  return {
    blobs: amount(`SELECT count, bytes FROM totals WHERE kind = 'blob'`),
    manifests: amount(`SELECT count, bytes FROM totals WHERE kind = 'manifest'`),
    derivedManifests: amount('SELECT count(*) AS count, sum(length(bytes)) AS bytes FROM derived'),
    tags: Number(row(database, 'SELECT count(*) AS count FROM tags').count),
    repositories: Number(
      row(database, 'SELECT count(*) AS count FROM (SELECT DISTINCT upstream, repository FROM links)').count,
    ),
    // What was found without a record of its use counts as used at 0.
    oldestUse: time(row(database, 'SELECT min(used) AS used FROM contents WHERE used > 0').used),
    endpoints: endpointsIn(database),
    scrubbed: time(row(database, 'SELECT completed_at FROM scrub').completed_at),
  };
}

function endpointsIn(database: DatabaseSync): CacheStatistics['endpoints'] {
  const totals = database.prepare('SELECT endpoint, quota, bytes, count FROM endpoint_totals ORDER BY endpoint').all();
  if (totals.every(({ quota }) => quota === null)) return [];
  return totals.map(({ endpoint, quota, bytes, count }) => ({
    name: String(endpoint),
    count: Number(count),
    bytes: Number(bytes),
    quota: quota === null ? null : Number(quota),
  }));
}

function row(database: DatabaseSync, query: string): Record<string, unknown> {
  return database.prepare(query).get() ?? {};
}

function time(value: unknown): string | null {
  return typeof value === 'number' ? new Date(value).toISOString() : null;
}

function amountIn(directory: string): Amount {
  const names = existsSync(directory) ? readdirSync(directory) : [];
  return { count: names.length, bytes: names.reduce((sum, name) => sum + sizeOf(join(directory, name)), 0) };
}

/** 0 for a file that is gone by now. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

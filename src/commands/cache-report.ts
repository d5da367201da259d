import { describeSize } from '../lib/units.ts';
import type { PurgeReport } from '../store/purge.ts';
import type { CacheStatistics } from '../store/statistics.ts';
import type { VerifyReport } from '../store/verify.ts';

/** What a cache holds, as a table for people. */
export function formatStatistics(statistics: CacheStatistics): string {
  const { blobs, manifests, derivedManifests, quarantine, unfinished } = statistics;
  return table([
    ['directory', statistics.directory],
    ['blobs', count(blobs.count), describeSize(blobs.bytes)],
    ['manifests', count(manifests.count), describeSize(manifests.bytes)],
    ['derived manifests', count(derivedManifests.count), describeSize(derivedManifests.bytes)],
    ['tags', count(statistics.tags)],
    ['repositories', count(statistics.repositories)],
    ...statistics.endpoints.map(({ name, count: number, bytes, quota }) => [
      `endpoint ${name}`,
      count(number),
      quota === null ? describeSize(bytes) : `${describeSize(bytes)} of ${describeSize(quota)}`,
    ]),
    ['quarantine', count(quarantine.count), describeSize(quarantine.bytes)],
    ['unfinished downloads', count(unfinished.count), describeSize(unfinished.bytes)],
    ['facts.db', describeSize(statistics.factsBytes)],
    ['oldest use', statistics.oldestUse ?? 'unknown'],
    ['last scrub', statistics.scrubbed ?? 'never completed'],
  ]);
}

/** What hashing everything found, as a table for people. */
export function formatVerification(report: VerifyReport): string {
  const rows = [
    ['blobs', count(report.blobs)],
    ['manifests', count(report.manifests)],
    ['derived manifests', count(report.derivedManifests)],
    ['hashed', describeSize(report.bytes)],
    ['damaged', count(report.damaged)],
    ['unreadable', count(report.unreadable)],
    ['missing', count(report.missing)],
  ];
  const findings = report.findings.map(({ kind, digest, reason }) => `${kind} ${digest}: ${reason}`);
  return [table(rows), ...findings].join('\n');
}

/** What a purge took away, or would, as a table for people. */
export function formatPurge(report: PurgeReport): string {
  const rows = [
    ['blobs', count(report.blobs)],
    ['manifests', count(report.manifests)],
    ['bytes', describeSize(report.bytes)],
    ['tags', count(report.tags)],
    ['links', count(report.links)],
    ['derived manifests', count(report.derivedManifests)],
  ];
  const failure = report.failure === undefined ? [] : [`${report.failed} could not be removed: ${report.failure}`];
  return [report.dryRun ? 'would be removed:' : 'removed:', table(rows), ...failure].join('\n');
}

function table(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([name = '']) => name.length)) + 2;
  const amounts = Math.max(...rows.filter((row) => row.length > 2).map(([, amount = '']) => amount.length), 0);
  return rows
    .map(([name = '', amount = '', size]) =>
      `${name.padEnd(width)}${size === undefined ? amount : `${amount.padEnd(amounts)}  ${size}`}`.trimEnd(),
    )
    .join('\n');
}

function count(number: number): string {
  return number.toLocaleString('en');
}

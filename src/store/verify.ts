import { algorithmOf, type Digest, digestOf } from '../domain/digest.ts';
import type { CheckContent } from './check-content.ts';
import type { Contents, ListedContent } from './contents.ts';
import type { Database } from './database.ts';
import type { ContentKind } from './layout.ts';

export interface VerifyOptions {
  readonly contents: Contents;
  readonly check: CheckContent;
  readonly database: Database;
}

/** One thing that is not as it should be. */
export interface Finding {
  readonly kind: ContentKind | 'derived manifest';
  readonly digest: Digest;
  readonly reason: string;
}

/** What hashing all that is stored found. Damaged content was taken out of the cache. */
export interface VerifyReport {
  readonly blobs: number;
  readonly manifests: number;
  readonly derivedManifests: number;
  /** Hashed bytes of blobs and manifests. */
  readonly bytes: number;
  readonly damaged: number;
  /** Content that could not be read; it stays. */
  readonly unreadable: number;
  /** Files that were listed and are gone, as after a crash. */
  readonly missing: number;
  /** The first 100 of what is damaged or unreadable. */
  readonly findings: readonly Finding[];
}

const MAX_FINDINGS = 100;

/** Hashes everything. Rejects with the signal's reason when it aborts. */
export async function verify(options: VerifyOptions, signal: AbortSignal): Promise<VerifyReport> {
  const { contents, check } = options;
  const report = { blobs: 0, manifests: 0, derivedManifests: 0, bytes: 0, damaged: 0, unreadable: 0, missing: 0 };
  const findings: Finding[] = [];

  function find(outcome: 'damaged' | 'unreadable', finding: Finding): void {
    report[outcome] += 1;
    if (findings.length < MAX_FINDINGS) findings.push(finding);
  }

  let last: ListedContent | undefined;
  for (let content = contents.next(last); content !== undefined; content = contents.next(last)) {
    const { kind, digest, size } = content;
    const result = await check(content, signal);
    report[`${kind}s`] += 1;
    if (result.outcome === 'intact') report.bytes += size;
    else if (result.outcome === 'missing') report.missing += 1;
    else find(result.outcome, { kind, digest, reason: result.reason });
    last = content;
  }
  for (const { digest, actual } of derivedManifests(options.database)) {
    signal.throwIfAborted();
    report.derivedManifests += 1;
    const reason = `its digest is ${actual}`;
    if (actual !== digest) find('damaged', { kind: 'derived manifest', digest, reason });
  }
  return { ...report, findings };
}

/** All derived manifests with the digests that they have. A damaged one is forgotten, so that it is derived anew. */
function* derivedManifests(database: Database): Iterable<{ readonly digest: Digest; readonly actual: Digest }> {
  let row = database.run((statements) => statements.derivedBehind.get(0));
  while (row !== undefined) {
    const { id } = row;
    // The columns are those that facts.ts writes.
    const digest = row.digest as Digest;
    const actual = digestOf(row.bytes as Uint8Array, algorithmOf(digest));
    if (actual !== digest) database.run((statements) => statements.dropDerivedById.run(id ?? null));
    yield { digest, actual };
    row = database.run((statements) => statements.derivedBehind.get(id ?? null));
  }
}

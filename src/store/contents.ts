import type { Digest } from '../domain/digest.ts';
import type { HeaderList } from '../domain/headers.ts';
import type { Clock } from '../lib/clock.ts';
import type { Database } from './database.ts';
import { attempt, type Health } from './health.ts';
import type { ContentKind } from './layout.ts';

/** What is known of one file of content. */
export interface ContentRecord {
  readonly size: number;
  /** The file's modification time when its digest was checked; undefined while nobody checked it. */
  readonly modified: number | undefined;
  readonly headers: HeaderList | undefined;
}

export interface ContentUse {
  readonly kind: ContentKind;
  readonly digest: Digest;
  readonly size: number;
  readonly used: number;
}

/** A place in the order of kinds and digests. */
export interface ContentPlace {
  readonly kind: ContentKind;
  readonly digest: Digest;
}

export interface ListedContent extends ContentPlace {
  readonly size: number;
  /** As in `ContentRecord`. */
  readonly modified: number | undefined;
}

export interface Usage {
  /** Bytes of blobs and manifests on disk. */
  readonly bytes: number;
  readonly blobs: number;
}

/** The list of all stored files with their sizes and last use. Only `add` throws; a database that fails knows nothing. */
export interface Contents {
  find(kind: ContentKind, digest: Digest): ContentRecord | undefined;
  /** @throws SQLite's error */
  add(kind: ContentKind, digest: Digest, size: number, modified: number, headers?: HeaderList): void;
  /** Lists a file that nobody checked yet, unless it is listed. */
  adopt(kind: ContentKind, digest: Digest, size: number): void;
  /** Notes that the digest of a listed file was checked just now; that is no use of it. */
  confirm(kind: ContentKind, digest: Digest, size: number, modified: number): void;
  remove(kind: ContentKind, digest: Digest): void;
  /** Notes a use, in memory at first: a row is written at most every few seconds. */
  used(kind: ContentKind, digest: Digest): void;
  flush(): void;
  /** The next least recently used ones, in order, behind `after`. */
  leastUsed(after: ContentUse | undefined): readonly ContentUse[];
  /** The next one behind `after` in the order of kinds and digests; the first one without. */
  next(after: ContentPlace | undefined): ListedContent | undefined;
  usage(): Usage;
}

const FLUSH_AFTER_MILLISECONDS = 5_000;
const FLUSH_AT_COUNT = 10_000;

/** Makes the list over the facts database. */
export function createContents(database: Database, health: Health, clock: Clock): Contents {
  const uses = new Map<string, { kind: ContentKind; digest: Digest; use: number }>();
  let lastUse = Number(database.run((statements) => statements.lastUse.get()?.used ?? 0));
  let cancelFlush: (() => void) | undefined;

  // The time, but never the same twice and never backwards: a clock that is set back must not make what is in use look old.
  function nextUse(): number {
    lastUse = Math.max(lastUse + 1, Math.floor(clock.now()));
    return lastUse;
  }

  function flush(): void {
    cancelFlush?.();
    cancelFlush = undefined;
    if (uses.size === 0) return;
    const pending = [...uses.values()];
    uses.clear();
    attempt(health, () =>
      database.transact((statements) => {
        for (const { kind, digest, use } of pending) statements.useContent.run(use, kind, digest);
      }),
    );
  }

  return {
    find: (kind, digest) =>
      attempt(health, () => contentRecord(database.run((statements) => statements.content.get(kind, digest)))),
    add(kind, digest, size, modified, headers) {
      const text = headers === undefined ? null : JSON.stringify(headers);
      database.run((statements) => statements.putContent.run(kind, digest, size, modified, nextUse(), text));
      health.worked('facts');
    },
    adopt(kind, digest, size) {
      attempt(health, () => database.run((statements) => statements.adoptContent.run(kind, digest, size)));
    },
    confirm(kind, digest, size, modified) {
      attempt(health, () => database.run((statements) => statements.confirmContent.run(size, modified, kind, digest)));
    },
    remove(kind, digest) {
      attempt(health, () => database.run((statements) => statements.dropContent.run(kind, digest)));
    },
    used(kind, digest) {
      uses.set(`${kind} ${digest}`, { kind, digest, use: nextUse() });
      if (uses.size >= FLUSH_AT_COUNT) flush();
      else cancelFlush ??= clock.after(FLUSH_AFTER_MILLISECONDS, flush);
    },
    flush,
    leastUsed(after) {
      flush();
      const { used, kind, digest } = after ?? { used: -1, kind: '', digest: '' };
      const rows = attempt(health, () => database.run((statements) => statements.leastUsed.all(used, kind, digest)));
      // The columns are those of ContentUse, written by this file alone.
      return (rows ?? []) as unknown as ContentUse[];
    },
    next(after) {
      const { kind, digest } = after ?? { kind: '', digest: '' };
      const row = attempt(health, () => database.run((statements) => statements.contentBehind.get(kind, digest)));
      if (row === undefined) return undefined;
      const modified = row.modified === null ? undefined : Number(row.modified);
      return { kind: row.kind as ContentKind, digest: row.digest as Digest, size: Number(row.size), modified };
    },
    usage() {
      const rows = attempt(health, () => database.run((statements) => statements.totals.all())) ?? [];
      const bytes = rows.reduce((sum, row) => sum + Number(row.bytes), 0);
      return { bytes, blobs: Number(rows.find((row) => row.kind === 'blob')?.count ?? 0) };
    },
  };
}

function contentRecord(row: Record<string, unknown> | undefined): ContentRecord | undefined {
  if (row === undefined) return undefined;
  return {
    size: Number(row.size),
    modified: row.modified === null ? undefined : Number(row.modified),
    headers: typeof row.headers === 'string' ? (JSON.parse(row.headers) as HeaderList) : undefined,
  };
}

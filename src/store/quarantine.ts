import { join } from 'node:path';
import type { Digest } from '../domain/digest.ts';
import type { Contents } from './contents.ts';
import type { Counters } from './counters.ts';
import type { Files } from './files.ts';
import type { Health, Warn } from './health.ts';
import type { ContentKind, Layout } from './layout.ts';

export interface QuarantineOptions {
  readonly files: Files;
  readonly layout: Layout;
  readonly contents: Contents;
  readonly counters: Counters;
  readonly health: Health;
  readonly warn: Warn;
  readonly now: () => number;
}

/** Where damaged files go, so that somebody can look at them. */
export interface Quarantine {
  /** Takes what is in the place of a file out of the cache, and counts it. Rejects when the file system refuses. */
  take(kind: ContentKind, digest: Digest, reason: string): Promise<void>;
  /** Removes all that was taken. */
  empty(): Promise<void>;
}

const MAX_FILES = 16;
const MAX_BYTES = 1024 ** 3;

/** Keeps the newest 16 and at most 1 GiB of them. */
export function createQuarantine(options: QuarantineOptions): Quarantine {
  const { files, layout, contents, counters, health, warn, now } = options;

  const paths = async (): Promise<readonly string[]> =>
    (await files.list(layout.quarantine)).map((name) => join(layout.quarantine, name));

  async function move(kind: ContentKind, digest: Digest): Promise<void> {
    const path = layout.content(kind, digest);
    try {
      await files.makeDirectory(layout.quarantine);
      await files.rename(path, layout.quarantined(kind, digest, now()));
    } catch {
      // Being out of the cache matters more than being kept.
      await files.remove(path);
    }
  }

  async function prune(): Promise<void> {
    let count = 0;
    let bytes = 0;
    for (const path of (await paths()).toSorted().reverse()) {
      count += 1;
      bytes += (await files.statusOf(path)).size;
      if (count > MAX_FILES || bytes > MAX_BYTES) await files.remove(path);
    }
  }

  return {
    async take(kind, digest, reason) {
      counters.damaged += 1;
      warn(`A cached ${kind} was not intact. It was taken out of the cache and will be fetched again.`, {
        digest,
        reason,
      });
      contents.remove(kind, digest);
      await move(kind, digest);
      // Without the directory there is nothing to prune; it cannot be made on a disk that is read-only by now.
      await prune().catch(health.failed);
    },
    async empty() {
      for (const path of await paths().catch(() => [])) await files.remove(path);
    },
  };
}

import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { parseDigest } from '../domain/digest.ts';
import type { Contents } from './contents.ts';
import type { Files } from './files.ts';
import type { ContentKind, Layout } from './layout.ts';

export interface HousekeepingOptions {
  readonly files: Files;
  readonly layout: Layout;
  readonly contents: Contents;
  readonly signal: AbortSignal;
}

/** After so many files clients have their turn: a directory of a large cache has thousands. */
const FILES_AT_ONCE = 50;

/** Removes the part files that an earlier process left behind. What cannot be removed stays until the next start. */
export async function removeOrphans({ files, layout, signal }: HousekeepingOptions): Promise<void> {
  for (const name of await files.list(layout.parts)) {
    if (signal.aborted) return;
    if (layout.isOrphan(name)) await files.remove(join(layout.parts, name)).catch(() => undefined);
  }
}

/**
 * Lists all files of content that are not listed: those of a process that was killed between naming a file and listing it,
 * and all of them when the database is new. They count as used least recently and are hashed before they are first served.
 * @returns whether it came to its end
 */
export async function listUnlisted(options: HousekeepingOptions): Promise<boolean> {
  for (const kind of ['blob', 'manifest'] as const) {
    const root = options.layout.contents(kind);
    for (const algorithm of await namesIn(options, root)) {
      for (const prefix of await namesIn(options, join(root, algorithm))) {
        if (options.signal.aborted) return false;
        await listDirectory(options, kind, algorithm, join(root, algorithm, prefix));
      }
    }
  }
  return !options.signal.aborted;
}

async function listDirectory(
  options: HousekeepingOptions,
  kind: ContentKind,
  algorithm: string,
  directory: string,
): Promise<void> {
  const { files, contents, signal } = options;
  for (const [index, name] of (await namesIn(options, directory)).entries()) {
    if (index % FILES_AT_ONCE === FILES_AT_ONCE - 1) await setImmediate();
    if (signal.aborted) return;
    const digest = parseDigest(`${algorithm}:${name}`);
    if (digest === undefined || contents.find(kind, digest) !== undefined) continue;
    const status = await files.statusOf(join(directory, name)).catch(() => undefined);
    if (status?.isFile) contents.adopt(kind, digest, status.size);
  }
}

async function namesIn({ files }: HousekeepingOptions, directory: string): Promise<readonly string[]> {
  return files.list(directory).catch(() => []);
}

import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { algorithmOf, type Digest, digestOf } from '../../../src/domain/digest.ts';
import { noFileOpenBelow } from '../../store/support/bytes.ts';
import { partNames } from '../../store/support/test-store.ts';
import { eventually } from '../deadline.ts';
import type { Download } from './download.ts';
import type { FaultClock } from './fault-clock.ts';
import type { RunningCache } from './running-cache.ts';

/** I1: every file in a final directory has the digest that is its name. */
export async function expectSoundFiles(directory: string): Promise<void> {
  for (const kind of ['blobs', 'manifests']) {
    const root = join(directory, 'v1', kind);
    const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries.filter((found) => !found.isDirectory())) {
      const path = join(entry.parentPath, entry.name);
      const [algorithm] = path.slice(root.length + 1).split('/');
      const named = `${algorithm}:${basename(path)}` as Digest;
      expect(digestOf(await readFile(path), algorithmOf(named)), `content of ${path}`).toBe(named);
    }
  }
}

/**
 * I2: what is wrong with an answer that came to its end; undefined when it is right, an error or a cut one. `known` has the
 * right bytes of digests, for parts.
 */
export async function wrongness(download: Download, known: ReadonlyMap<string, Buffer>): Promise<string | undefined> {
  const { asked, status } = download;
  if ((await download.ended) !== 'whole' || (asked.method ?? 'GET') !== 'GET') return undefined;
  const [named = ''] = /sha(?:256|512):[0-9a-f]+$/.exec(asked.target) ?? [];
  const expected = named === '' ? download.header('Docker-Content-Digest') : named;
  if (status === 200 && expected?.startsWith('sha256:') && download.digest() !== expected) {
    return `${asked.target} ended as complete with ${download.length} bytes that are ${download.digest()}`;
  }
  if (status !== 206) return undefined;
  const [, start = '', end = ''] = /^bytes (\d+)-(\d+)\//.exec(download.header('Content-Range') ?? '') ?? [];
  const part = known.get(named)?.subarray(Number(start), Number(end) + 1);
  return part?.equals(download.body()) ? undefined : `${asked.target} gave a wrong part ${start}-${end}`;
}

interface Ended {
  readonly directory: string;
  readonly clock: FaultClock;
  /** Sockets of this process before anything was started. */
  readonly socketsBefore: number;
}

/** I4 while it still runs: a minute later there is no part file. */
export async function expectNoParts(directory: string): Promise<void> {
  await eventually('no part files', async () => (await partNames(directory)).length === 0 || undefined);
}

/** I4 once all is stopped: no descriptor, timer or socket is left. */
export async function expectNothingLeft({ directory, clock, socketsBefore }: Ended): Promise<void> {
  await noFileOpenBelow(directory);
  await eventually('no open sockets', async () => countSockets() <= socketsBefore || undefined);
  expect(clock.pending, 'timers left').toBe(0);
}

/** TCP sockets and servers that this process has open. */
export function countSockets(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource.startsWith('TCP')).length;
}

/** I5: no request came to an answer that manifix itself calls its own mistake. */
export function expectNoDefects({ defects }: RunningCache): void {
  expect(defects, 'answers 500 that are the fault of manifix').toEqual([]);
}

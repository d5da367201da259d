import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { nodeFiles } from '../../src/store/files.ts';
import { openStore, type Store } from '../../src/store/open-store.ts';
import { manifestOf } from '../contract/manifest-store.contract.ts';
import { eventually, within } from '../support/deadline.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { drain, noFileOpenBelow, type Sample, sample } from './support/bytes.ts';
import { createFaultyFiles } from './support/faulty-files.ts';
import { createReadySource } from './support/manual-source.ts';
import { blobPaths, partNames } from './support/test-store.ts';

const first = sample(100_000, 'first');
const second = sample(150_000, 'second');
const manifest = manifestOf('{"schemaVersion":2}');

async function pull({ blobs }: Store, { bytes, digest }: Sample): Promise<Buffer> {
  const blob = await blobs.open(digest);
  if (blob === undefined) {
    const fill = blobs.startFill(digest, createReadySource(bytes));
    const got = await drain(fill.reader());
    await fill.finished;
    return got;
  }
  try {
    return await drain(blob.reader());
  } finally {
    blob.close();
  }
}

/** Cold, warm, a manifest, an eviction and a restart. Every read that completes has to be right. */
async function scenario(open: () => Promise<Store>): Promise<void> {
  for (let start = 0; start < 2; start += 1) {
    const store = await open();
    try {
      for (const content of [first, first, second]) {
        const got = await within(
          'a read',
          pull(store, content).catch(() => undefined),
        );
        if (got !== undefined) expect(digestOf(got)).toBe(content.digest);
      }
      await within('a manifest', store.manifests.put(manifest));
      const found = await within('the manifest', store.manifests.get(manifest.digest));
      if (found !== undefined) expect(digestOf(found.bytes)).toBe(manifest.digest);
    } finally {
      await within('closing', store.close());
    }
  }
}

async function expectSoundDirectory(directory: string): Promise<void> {
  for (const path of await blobPaths(directory)) {
    expect(digestOf(await readFile(path))).toBe(`sha256:${basename(path)}`);
  }
  const store = await openStore({ directory, maxSize: 1e9, warn: () => undefined });
  for (const { bytes, digest } of [first, second])
    expect((await pull(store, { bytes, digest })).equals(bytes)).toBe(true);
  expect(await store.manifests.put(manifest)).toBe(true);
  expect(store.health()).toBe('ok');
  await eventually('no part files', async () => (await partNames(directory)).length === 0 || undefined);
  await store.close();
  await noFileOpenBelow(directory);
}

describe('whichever file-system call fails', () => {
  it('nothing wrong is served or stored, nothing leaks, and all works afterwards', async () => {
    let wasInjected = true;
    let runs = 0;
    for (let failing = 1; wasInjected; failing += 1) {
      await using home = await temporaryDirectory();
      const files = createFaultyFiles(nodeFiles, (_call, number) => (number === failing ? 'EIO' : undefined));
      const open = () => openStore({ directory: home.path, maxSize: 200_000, files, warn: () => undefined });
      // A directory that cannot be used at the start is refused.
      await scenario(open).catch((error: Error) => expect(error.message).toContain('cannot be used'));
      wasInjected = files.calls.length >= failing;
      runs = failing;
      await expectSoundDirectory(home.path);
    }
    expect(runs).toBeGreaterThan(40);
  }, 600_000);
});

import { execFileSync } from 'node:child_process';
import { mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/store/files.ts';
import { manifestOf } from '../contract/manifest-store.contract.ts';
import { createFaultyFiles } from './support/faulty-files.ts';
import { openTestStore, partNames } from './support/test-store.ts';

const manifest = manifestOf('{"schemaVersion":2,"layers":[]}');

function manifestPath(directory: string): string {
  const hex = manifest.digest.slice(7);
  return join(directory, 'v1', 'manifests', 'sha256', hex.slice(0, 2), hex);
}

describe('a cached manifest', () => {
  it.each<[string, (path: string) => Promise<unknown>]>([
    ['cut', (path) => truncate(path, 5)],
    ['longer', (path) => truncate(path, 1000)],
    ['empty', (path) => truncate(path, 0)],
    ['other bytes of the same length', (path) => writeFile(path, Buffer.alloc(manifest.bytes.length, 32))],
    [
      'a directory',
      async (path) => {
        await rm(path);
        await mkdir(path);
      },
    ],
    [
      'a symbolic link',
      async (path) => {
        await rm(path);
        await symlink('/dev/null', path);
      },
    ],
    [
      'a FIFO',
      async (path) => {
        await rm(path);
        execFileSync('mkfifo', [path]);
      },
    ],
  ])('that is %s is a miss, removed and counted', async (_what, damage) => {
    await using opened = await openTestStore();
    await opened.store.manifests.put(manifest);
    await opened.store.close();
    await damage(manifestPath(opened.directory));
    const store = await opened.reopen();
    expect(await store.manifests.get(manifest.digest)).toBeUndefined();
    expect(store.counters()).toMatchObject({ damaged: 1 });
    expect(store.usage().bytes).toBe(0);
    expect(await store.manifests.put(manifest)).toBe(true);
    await opened.reopen();
    expect(await opened.store.manifests.get(manifest.digest)).toEqual(manifest);
  });

  it('that vanished is a miss', async () => {
    await using opened = await openTestStore();
    await opened.store.manifests.put(manifest);
    await opened.store.close();
    await rm(manifestPath(opened.directory));
    const store = await opened.reopen();
    expect(await store.manifests.get(manifest.digest)).toBeUndefined();
    expect(store.counters()).toMatchObject({ damaged: 0 });
    expect(store.usage().bytes).toBe(0);
  });

  it('is served from memory without touching the disk', async () => {
    const files = createFaultyFiles(nodeFiles, () => undefined);
    await using opened = await openTestStore({ files });
    await opened.store.manifests.put(manifest);
    const before = files.calls.length;
    expect(await opened.store.manifests.get(manifest.digest)).toEqual(manifest);
    expect(files.calls.length).toBe(before);
  });

  it('that cannot be written is served from memory, until the disk takes it', async () => {
    let isBroken = false;
    const files = createFaultyFiles(nodeFiles, (call) => (isBroken && call === 'write' ? 'ENOSPC' : undefined));
    await using opened = await openTestStore({ files });
    isBroken = true;
    expect(await opened.store.manifests.put(manifest)).toBe(false);
    expect(opened.store.health()).toEqual({ degraded: expect.stringContaining('ENOSPC') });
    expect(await opened.store.manifests.get(manifest.digest)).toEqual(manifest);
    expect(await partNames(opened.directory)).toEqual([]);
    isBroken = false;
    expect(await opened.store.manifests.put(manifest)).toBe(true);
    expect(opened.store.health()).toBe('ok');
  });

  it('that cannot be read for a moment is a miss, but stays', async () => {
    let isBroken = false;
    const files = createFaultyFiles(nodeFiles, (call) => (isBroken && call === 'read' ? 'EIO' : undefined));
    await using opened = await openTestStore({ files });
    await opened.store.manifests.put(manifest);
    const store = await opened.reopen();
    isBroken = true;
    expect(await store.manifests.get(manifest.digest)).toBeUndefined();
    isBroken = false;
    expect(await store.manifests.get(manifest.digest)).toEqual(manifest);
  });

  it('is written once by any number of simultaneous callers', async () => {
    const files = createFaultyFiles(nodeFiles, () => undefined);
    await using opened = await openTestStore({ files });
    expect(await Promise.all(Array.from({ length: 20 }, () => opened.store.manifests.put(manifest)))).toEqual(
      Array(20).fill(true),
    );
    expect(files.calls.filter((call) => call === 'write').length).toBe(1);
  });
});

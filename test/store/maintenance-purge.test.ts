import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/store/files.ts';
import { openHoldings } from '../../src/store/holdings.ts';
import type { PurgeReport } from '../../src/store/purge.ts';
import { barrier } from '../support/deadline.ts';
import { drain, isPending, sample } from './support/bytes.ts';
import { createFaultyFiles } from './support/faulty-files.ts';
import { createManualClock } from './support/manual-clock.ts';
import { createReadySource } from './support/manual-source.ts';
import { alpine, busybox, openStockedStore, SIZE } from './support/stocked-store.ts';
import { blobPath, blobPaths, openTestStore } from './support/test-store.ts';

const DAY = 86_400_000;

const nothing: PurgeReport = {
  dryRun: false,
  blobs: 0,
  manifests: 0,
  bytes: 0,
  tags: 0,
  links: 0,
  derivedManifests: 0,
  failed: 0,
};

describe('purging a repository', () => {
  it('forgets its tags, links and derived manifests, and removes what no other repository holds', async () => {
    await using stocked = await openStockedStore();
    const { store, manifests, derived, blobs } = stocked;
    const report = await store.maintenance.purge({ by: 'repository', name: alpine }, false);
    const bytes = SIZE + manifests.alpine.bytes.length;
    expect(report).toEqual({ ...nothing, blobs: 1, manifests: 1, bytes, tags: 1, links: 3, derivedManifests: 1 });
    expect(await stocked.stored()).toEqual([false, true, true]);
    expect(await store.manifests.get(manifests.alpine.digest)).toBeUndefined();
    expect(await store.manifests.get(manifests.busybox.digest)).toEqual(manifests.busybox);
    expect(store.facts.link('hub', alpine, 'blob', blobs.shared.digest)).toBeUndefined();
    expect(store.facts.link('hub', busybox, 'blob', blobs.shared.digest)).toBe('open');
    expect(store.facts.derived('hub', alpine, derived.digest)).toBeUndefined();
  });

  it.each([
    ['library/busybox', 2, 2],
    ['hub/library/busybox', 1, 2],
    ['lab/library/busybox', 1, 0],
    ['busybox', 0, 0],
    ['library', 0, 0],
  ])('by the name %s means %d tags and removes %d files', async (name, tags, files) => {
    await using stocked = await openStockedStore();
    const report = await stocked.store.maintenance.purge({ by: 'repository', name }, false);
    expect({ tags: report.tags, files: report.blobs + report.manifests }).toEqual({ tags, files });
  });
});

describe('purging a digest', () => {
  it('removes the blob or manifest, and who refers to it', async () => {
    await using stocked = await openStockedStore();
    const { store, blobs, manifests } = stocked;
    const purge = (digest: typeof blobs.own.digest) => store.maintenance.purge({ by: 'digest', digest }, false);
    expect(await purge(blobs.shared.digest)).toEqual({ ...nothing, blobs: 1, bytes: SIZE, links: 2 });
    expect(await stocked.stored()).toEqual([true, false, true]);
    const bytes = manifests.busybox.bytes.length;
    expect(await purge(manifests.busybox.digest)).toEqual({ ...nothing, manifests: 1, bytes, tags: 2, links: 1 });
    expect(await store.manifests.get(manifests.busybox.digest)).toBeUndefined();
    expect(await purge(sample(1, 'unknown').digest)).toEqual(nothing);
  });

  it('keeps what was pushed, which nobody can derive anew', async () => {
    await using stocked = await openStockedStore();
    const { store, derived } = stocked;
    store.facts.putDerived('hub', alpine, { ...derived, digest: derived.original, kind: 'as-pushed' });
    await store.maintenance.purge({ by: 'repository', name: 'hub/library/alpine' }, false);
    await store.maintenance.purge({ by: 'all' }, false);
    expect(store.facts.derived('hub', alpine, derived.original)?.kind).toBe('as-pushed');
    expect(store.facts.derived('hub', alpine, derived.digest)).toBeUndefined();
  });

  it('removes a derived manifest under its own digest, not under that of its original', async () => {
    await using stocked = await openStockedStore();
    const { store, derived } = stocked;
    await store.maintenance.purge({ by: 'digest', digest: derived.original }, false);
    expect(store.facts.derived('hub', alpine, derived.digest)?.original).toBe(derived.original);
    const report = await store.maintenance.purge({ by: 'digest', digest: derived.digest }, false);
    expect(report).toEqual({ ...nothing, derivedManifests: 1 });
    expect(store.facts.derived('hub', alpine, derived.digest)).toBeUndefined();
  });

  it('lets those who read the blob read on', async () => {
    await using stocked = await openStockedStore();
    const { store, blobs, directory } = stocked;
    const blob = await store.blobs.open(blobs.own.digest);
    const reader = blob?.reader();
    await store.maintenance.purge({ by: 'digest', digest: blobs.own.digest }, false);
    expect(await blobPaths(directory)).not.toContain(blobPath(directory, blobs.own.digest));
    expect(reader && (await drain(reader)).equals(blobs.own.bytes)).toBe(true);
    blob?.close();
    expect((await stocked.stored())[0]).toBe(false);
  });
});

describe('purging by age', () => {
  it('removes what was not used for that long, and neither links nor derived manifests', async () => {
    const clock = createManualClock();
    await using stocked = await openStockedStore({ clock });
    const { store, blobs, derived } = stocked;
    clock.advance(10 * DAY);
    (await store.blobs.open(blobs.other.digest))?.close();
    clock.advance(DAY);
    expect(await store.maintenance.purge({ by: 'age', unusedFor: 12 * DAY }, false)).toEqual(nothing);
    const report = await store.maintenance.purge({ by: 'age', unusedFor: 2 * DAY }, false);
    expect(report).toMatchObject({ blobs: 2, manifests: 2, tags: 0, links: 0, derivedManifests: 0 });
    expect(await stocked.stored()).toEqual([false, false, true]);
    expect(store.facts.link('hub', alpine, 'blob', blobs.own.digest)).toBe('open');
    expect(store.facts.derived('hub', alpine, derived.digest)?.original).toBe(derived.original);
  });
});

describe('purging all', () => {
  it('leaves nothing but derived manifests, whatever lies in the directory', async () => {
    await using stocked = await openStockedStore();
    const { store, blobs, derived, directory } = stocked;
    await writeFile(blobPath(directory, blobs.own.digest).replace(/.{4}$/, '0000'), 'a file that nobody listed');
    const report = await store.maintenance.purge({ by: 'all' }, false);
    expect(report).toMatchObject({ blobs: 4, manifests: 2, tags: 3, links: 6, derivedManifests: 0 });
    expect(await blobPaths(directory)).toEqual([]);
    expect(store.usage()).toEqual({ bytes: 0, blobs: 0 });
    expect(store.facts.derived('hub', alpine, derived.digest)?.original).toBe(derived.original);
  });

  it('empties the quarantine', async () => {
    await using stocked = await openStockedStore();
    const { store, blobs, directory } = stocked;
    await writeFile(blobPath(directory, blobs.own.digest), 'damaged');
    await store.maintenance.verify(new AbortController().signal);
    const quarantine = join(directory, 'v1', 'quarantine');
    expect((await readdir(quarantine)).length).toBe(1);
    await store.maintenance.purge({ by: 'all' }, false);
    expect(await readdir(quarantine)).toEqual([]);
  });
});

describe('a dry run', () => {
  it.each([
    [{ by: 'repository', name: 'hub/library/alpine' }],
    [{ by: 'age', unusedFor: 0 }],
    [{ by: 'all' }],
  ] as const)('of %j tells the same as the purge itself, and changes nothing', async (selection) => {
    const clock = createManualClock();
    await using stocked = await openStockedStore({ clock });
    const { store } = stocked;
    clock.advance(1000);
    const statistics = store.maintenance.statistics();
    const rehearsed = await store.maintenance.purge(selection, true);
    expect(store.maintenance.statistics()).toEqual(statistics);
    expect(await stocked.stored()).toEqual([true, true, true]);
    clock.advance(1000);
    const purged = await store.maintenance.purge(selection, false);
    expect(rehearsed).toEqual({ ...purged, dryRun: true });
    expect(purged.blobs).toBeGreaterThan(0);
  });
});

describe('a purge', () => {
  it('goes on behind what the file system does not let go, and tells of it', async () => {
    let isBroken = false;
    const files = createFaultyFiles(nodeFiles, (call) => (isBroken && call === 'remove' ? 'EACCES' : undefined));
    await using stocked = await openStockedStore({ files });
    isBroken = true;
    const report = await stocked.store.maintenance.purge({ by: 'age', unusedFor: -DAY }, false);
    expect(report).toMatchObject({ blobs: 0, failed: 5, failure: expect.stringContaining('EACCES') });
    isBroken = false;
    expect(await stocked.stored()).toEqual([true, true, true]);
  });

  it('that runs when the store closes ends', async () => {
    await using stocked = await openStockedStore();
    const purging = stocked.store.maintenance.purge({ by: 'all' }, false);
    await Promise.all([expect(purging).rejects.toThrow('manifix is shutting down'), stocked.store.close()]);
  });
});

describe('a blob that clients have whole, and that is not in its place yet', () => {
  const { bytes, digest } = sample(SIZE, 'a moment ago');

  /** A store whose disk takes its time with that blob. */
  async function openSlowStore() {
    const synced = barrier();
    const files = {
      ...nodeFiles,
      async syncData(fd: number) {
        await synced.passed;
        await nodeFiles.syncData(fd);
      },
    };
    const opened = await openTestStore({ files });
    expect(await drain(opened.store.blobs.startFill(digest, createReadySource(bytes)).reader())).toEqual(bytes);
    return { opened, synced };
  }

  it('is purged like any other', async () => {
    const { opened, synced } = await openSlowStore();
    await using _ = opened;
    const purged = opened.store.maintenance.purge({ by: 'digest', digest }, false);
    synced.release();
    expect(await purged).toMatchObject({ blobs: 1, bytes: SIZE });
    expect(await opened.store.blobs.open(digest)).toBeUndefined();
  });

  it('is verified like any other', async () => {
    const { opened, synced } = await openSlowStore();
    await using _ = opened;
    const verified = opened.store.maintenance.verify(new AbortController().signal);
    synced.release();
    expect(await verified).toMatchObject({ blobs: 1, damaged: 0 });
  });

  it('can be waited for', async () => {
    const { opened, synced } = await openSlowStore();
    await using _ = opened;
    const placed = opened.store.placed();
    expect(await isPending(placed)).toBe(true);
    synced.release();
    await placed;
    const holdings = openHoldings(opened.directory);
    expect(holdings.size('blob', digest)).toBe(SIZE);
    holdings.close();
  });
});

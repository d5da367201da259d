import { readdir, rm, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Files, nodeFiles } from '../../src/store/files.ts';
import type { Store } from '../../src/store/open-store.ts';
import { manifestOf } from '../contract/manifest-store.contract.ts';
import { eventually, within } from '../support/deadline.ts';
import { drain, noFileOpenBelow, readyWork, type Sample, sample } from './support/bytes.ts';
import { damage, manifestPath, storeSample } from './support/damage.ts';
import { createFaultyFiles } from './support/faulty-files.ts';
import { createManualClock, type ManualClock } from './support/manual-clock.ts';
import { blobPath, openTestStore } from './support/test-store.ts';

const SIZE = 200_000;
const UNLIMITED = Number.MAX_SAFE_INTEGER;
const HOUR = 3_600_000;

const samples = (count: number): readonly Sample[] =>
  Array.from({ length: count }, (_, index) => sample(SIZE, `scrubbed ${index}`)).sort((one, other) =>
    one.digest < other.digest ? -1 : 1,
  );

const quarantined = (directory: string) => readdir(join(directory, 'v1', 'quarantine')).catch(() => []);

/** Scrubs until a round is complete. */
async function scrubRound(store: Store, clock: ManualClock): Promise<void> {
  store.setScrubRate(UNLIMITED);
  await within('the end of a round', clock.waitedFor(HOUR));
  store.setScrubRate(0);
}

/** The real files; `opened` has the names of those that were opened to be read. */
function watchedFiles(): Files & { readonly opened: string[] } {
  const opened: string[] = [];
  return {
    ...nodeFiles,
    opened,
    openForReading: (path) => {
      opened.push(basename(path));
      return nodeFiles.openForReading(path);
    },
  };
}

describe('the scrubber', () => {
  it('puts damaged blobs and manifests into quarantine, tells of each, and leaves the others alone', async () => {
    const clock = createManualClock();
    await using opened = await openTestStore({ clock });
    const { store, directory } = opened;
    const contents = samples(3);
    const [first, second, third] = contents as [Sample, Sample, Sample];
    for (const content of contents) await storeSample(store, content);
    const manifest = manifestOf('{"schemaVersion":2}');
    await store.manifests.put(manifest);
    await damage(blobPath(directory, second.digest));
    await damage(manifestPath(directory, manifest.digest));
    await scrubRound(store, clock);
    expect(store.counters()).toMatchObject({ damaged: 2, scrubbed: 3 * SIZE + manifest.bytes.length });
    expect(store.usage()).toEqual({ bytes: 2 * SIZE, blobs: 2 });
    expect(opened.warnings).toEqual([
      'A cached blob was not intact. It was taken out of the cache and will be fetched again.',
      'A cached manifest was not intact. It was taken out of the cache and will be fetched again.',
    ]);
    expect(await quarantined(directory)).toEqual([
      expect.stringContaining(`-blob-${second.digest.replace(':', '-')}`),
      expect.stringContaining(`-manifest-${manifest.digest.replace(':', '-')}`),
    ]);
    expect(await store.blobs.open(second.digest)).toBeUndefined();
    for (const { digest, bytes } of [first, third]) {
      const blob = await store.blobs.open(digest);
      expect(blob && (await drain(blob.reader())).equals(bytes)).toBe(true);
      blob?.close();
    }
  });

  it('does nothing until it has a rate, and nothing any more without one', async () => {
    const files = watchedFiles();
    const clock = createManualClock();
    await using opened = await openTestStore({ clock, files });
    for (const content of samples(2)) await storeSample(opened.store, content);
    await readyWork();
    expect(files.opened).toEqual([]);
    await scrubRound(opened.store, clock);
    expect(files.opened.length).toBe(2);
    clock.advance(2 * HOUR);
    await readyWork();
    expect(files.opened.length).toBe(2);
  });

  it('begins a new round an hour after the last one began', async () => {
    const files = watchedFiles();
    const clock = createManualClock();
    await using opened = await openTestStore({ clock, files });
    for (const content of samples(2)) await storeSample(opened.store, content);
    opened.store.setScrubRate(UNLIMITED);
    await within('the first round', clock.waitedFor(HOUR));
    clock.advance(HOUR - 1);
    await readyWork();
    expect(files.opened.length).toBe(2);
    clock.advance(1);
    await within('the second round', clock.waitedFor(HOUR));
    expect(files.opened.length).toBe(4);
  });

  it('takes the time that its rate says', async () => {
    const clock = createManualClock();
    await using opened = await openTestStore({ clock });
    for (const content of samples(2)) await storeSample(opened.store, content);
    opened.store.setScrubRate(SIZE / 10);
    for (let seconds = 0; seconds < 15; seconds += 1) {
      clock.advance(1000);
      await readyWork();
      const allowed = (SIZE / 10) * (seconds + 1) + 2 * 64 * 1024;
      expect(opened.store.counters().scrubbed).toBeLessThanOrEqual(allowed);
    }
    await eventually('all bytes', async () => {
      clock.advance(1000);
      return opened.store.counters().scrubbed === 2 * SIZE || undefined;
    });
  });

  it('goes on after a restart where it was', async () => {
    const files = watchedFiles();
    const clock = createManualClock();
    await using opened = await openTestStore({ clock, files });
    const names = samples(4).map(({ digest }) => digest.slice('sha256:'.length));
    for (const content of samples(4)) await storeSample(opened.store, content);
    opened.store.setScrubRate(SIZE);
    await eventually('two files', async () => {
      clock.advance(50);
      await readyWork();
      return files.opened.length >= 2 || undefined;
    });
    const before = files.opened.splice(0);
    const store = await opened.reopen();
    await scrubRound(store, clock);
    // The one that it was at is read again from its beginning.
    expect([...before.slice(0, -1), ...files.opened]).toEqual(names);
  });

  it('lets those who read a damaged blob read on', async () => {
    const clock = createManualClock();
    await using opened = await openTestStore({ clock });
    const { store, directory } = opened;
    const content = sample(SIZE, 'read');
    await storeSample(store, content);
    const blob = await store.blobs.open(content.digest);
    const reader = blob?.reader();
    await damage(blobPath(directory, content.digest), SIZE - 1);
    await scrubRound(store, clock);
    expect(store.counters()).toMatchObject({ damaged: 1 });
    const read = reader && (await drain(reader));
    expect(read?.subarray(0, SIZE - 1).equals(content.bytes.subarray(0, SIZE - 1))).toBe(true);
    blob?.close();
  });

  it('takes a file that is gone off the list, which is no damage', async () => {
    const clock = createManualClock();
    await using opened = await openTestStore({ clock });
    const content = sample(SIZE, 'gone');
    await storeSample(opened.store, content);
    await rm(blobPath(opened.directory, content.digest));
    await scrubRound(opened.store, clock);
    expect(opened.store.counters()).toMatchObject({ damaged: 0 });
    expect(opened.store.usage()).toEqual({ bytes: 0, blobs: 0 });
  });

  it.each(['openForReading', 'read'] as const)('leaves what it cannot read where it is (%s fails)', async (call) => {
    let isBroken = false;
    const clock = createManualClock();
    const files = createFaultyFiles(nodeFiles, (made) => (isBroken && made === call ? 'EIO' : undefined));
    await using opened = await openTestStore({ clock, files });
    const content = sample(SIZE, 'unreadable');
    await storeSample(opened.store, content);
    isBroken = true;
    await scrubRound(opened.store, clock);
    expect(opened.store.usage()).toEqual({ bytes: SIZE, blobs: 1 });
    expect(opened.store.counters()).toMatchObject({ damaged: 0 });
  });

  it('ends with the store at once, in the middle of a file, and leaves nothing open', async () => {
    const clock = createManualClock();
    await using opened = await openTestStore({ clock });
    await storeSample(opened.store, sample(SIZE, 'half'));
    opened.store.setScrubRate(1);
    await eventually('the first bytes', async () => opened.store.counters().scrubbed > 0 || undefined);
    await within('the end', opened.store.close());
    await noFileOpenBelow(opened.directory);
  });

  it('keeps the newest 16 damaged files', async () => {
    const clock = createManualClock();
    await using opened = await openTestStore({ clock });
    const { store, directory } = opened;
    const content = sample(100, 'again and again');
    for (let round = 0; round < 20; round += 1) {
      clock.advance(1000);
      await storeSample(store, content);
      await damage(blobPath(directory, content.digest));
      // Opening looks at the time of a file, which is coarse on many systems.
      await utimes(blobPath(directory, content.digest), 1, 1);
      expect(await store.blobs.open(content.digest)).toBeUndefined();
    }
    const names = await quarantined(directory);
    expect(names.length).toBe(16);
    const oldest = new Date(clock.now() - 15_000).toISOString().replaceAll(/[-:]/g, '');
    expect(names.toSorted()[0]?.startsWith(oldest)).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/store/files.ts';
import type { Store } from '../../src/store/open-store.ts';
import { manifestOf } from '../contract/manifest-store.contract.ts';
import { eventually, within } from '../support/deadline.ts';
import { drain, readyWork, type Sample, sample } from './support/bytes.ts';
import { createFaultyFiles } from './support/faulty-files.ts';
import { createManualClock } from './support/manual-clock.ts';
import { createManualSource, createReadySource } from './support/manual-source.ts';
import { blobPaths, openTestStore } from './support/test-store.ts';

const SIZE = 10_000;

const named = (name: string): Sample => sample(SIZE, name);

async function storeSample(store: Store, { bytes, digest }: Sample): Promise<void> {
  expect(await store.blobs.startFill(digest, createReadySource(bytes)).finished).toBe(true);
}

async function use(store: Store, { digest }: Sample): Promise<boolean> {
  const blob = await store.blobs.open(digest);
  blob?.close();
  return blob !== undefined;
}

/** Settles when so many files were removed by eviction. */
async function evictions(store: Store, count: number): Promise<void> {
  await eventually(`${count} evictions`, async () => store.counters().evicted >= count || undefined);
}

describe('a cache that is over its size', () => {
  it('loses what was used least recently, and no more than is needed', async () => {
    await using opened = await openTestStore({ maxSize: 3 * SIZE });
    const { store } = opened;
    const [a, b, c, d] = [named('a'), named('b'), named('c'), named('d')];
    for (const content of [a, b, c]) await storeSample(store, content);
    await use(store, a);
    await storeSample(store, d);
    await evictions(store, 1);
    expect(await Promise.all([a, b, c, d].map((content) => use(store, content)))).toEqual([true, false, true, true]);
    expect(store.usage()).toEqual({ bytes: 3 * SIZE, blobs: 3 });
    expect((await blobPaths(opened.directory)).length).toBe(3);
  });

  it('keeps that order over a restart, and when the clock is set back', async () => {
    const clock = createManualClock();
    await using opened = await openTestStore({ maxSize: 3 * SIZE, clock });
    const [a, b, c, d] = [named('a'), named('b'), named('c'), named('d')];
    for (const content of [a, b, c]) await storeSample(opened.store, content);
    clock.advance(-86_400_000);
    await use(opened.store, a);
    const store = await opened.reopen();
    await storeSample(store, d);
    await evictions(store, 1);
    expect(await Promise.all([a, b, c, d].map((content) => use(store, content)))).toEqual([true, false, true, true]);
  });

  it('keeps what is being read until it is not', async () => {
    await using opened = await openTestStore();
    const { store } = opened;
    const [a, b] = [named('a'), named('b')];
    for (const content of [a, b]) await storeSample(store, content);
    const blob = await store.blobs.open(a.digest);
    const reader = blob?.reader();
    blob?.close();
    store.setMaxSize(0);
    await evictions(store, 1);
    await readyWork();
    expect(store.counters().evicted).toBe(1);
    expect(reader && (await drain(reader)).equals(a.bytes)).toBe(true);
    await evictions(store, 2);
    expect(await blobPaths(opened.directory)).toEqual([]);
  });

  it('lets readers finish whose file is removed', async () => {
    await using opened = await openTestStore({ maxSize: SIZE });
    const { store } = opened;
    const { bytes, digest } = named('a');
    const fill = store.blobs.startFill(digest, createReadySource(bytes));
    const reader = fill.reader();
    await fill.finished;
    await storeSample(store, named('b'));
    await evictions(store, 1);
    expect((await drain(reader)).equals(bytes)).toBe(true);
  });

  it('does not count or remove what is being filled', async () => {
    await using opened = await openTestStore({ maxSize: SIZE });
    const { store } = opened;
    const { bytes, digest } = named('a');
    const { source, call } = createManualSource();
    const fill = store.blobs.startFill(digest, source);
    const upstream = await call(0);
    upstream.answer(200, [['Content-Length', String(SIZE)]]);
    const read = drain(fill.reader());
    await storeSample(store, named('b'));
    upstream.send(bytes);
    upstream.end();
    expect((await read).equals(bytes)).toBe(true);
    expect(await fill.finished).toBe(true);
    await evictions(store, 1);
    expect(await use(store, named('a'))).toBe(true);
    expect(await use(store, named('b'))).toBe(false);
  });

  it('counts manifests and blobs together', async () => {
    await using opened = await openTestStore({ maxSize: SIZE });
    const { store } = opened;
    const manifest = manifestOf('{"a":1}');
    await store.manifests.put(manifest);
    await storeSample(store, named('a'));
    await evictions(store, 1);
    expect(await store.manifests.get(manifest.digest)).toBeUndefined();
    expect(await use(store, named('a'))).toBe(true);
  });

  it('never loses a derived manifest', async () => {
    await using opened = await openTestStore();
    const { store } = opened;
    const original = manifestOf('{"original":true}');
    const { bytes, digest } = manifestOf('{"derived":true}');
    await store.manifests.put(original);
    // Names that a parser would have branded.
    const repository = 'library/alpine' as Parameters<typeof store.facts.putDerived>[1];
    const mediaType = 'application/json' as Parameters<typeof store.facts.putDerived>[2]['mediaType'];
    store.facts.putDerived('hub', repository, {
      digest,
      original: original.digest,
      bytes,
      mediaType,
      kind: 'media-type-added',
    });
    store.setMaxSize(0);
    await evictions(store, 1);
    expect(store.facts.derived('hub', repository, digest)?.digest).toBe(digest);
  });

  it('stops and says so when the disk refuses, and makes room later', async () => {
    let isBroken = false;
    const files = createFaultyFiles(nodeFiles, (call) => (isBroken && call === 'remove' ? 'EROFS' : undefined));
    await using opened = await openTestStore({ files });
    const { store } = opened;
    for (const name of ['a', 'b', 'c']) await storeSample(store, named(name));
    isBroken = true;
    store.setMaxSize(SIZE);
    await readyWork();
    expect(store.health()).toEqual({ degraded: expect.stringContaining('EROFS') });
    expect(store.usage().blobs).toBe(3);
    isBroken = false;
    store.setMaxSize(SIZE);
    await evictions(store, 2);
    expect(store.usage()).toEqual({ bytes: SIZE, blobs: 1 });
  });
});

describe('opening and evicting at the same time', () => {
  it('gives each reader a whole blob or a miss', async () => {
    await using opened = await openTestStore();
    const { store } = opened;
    const contents = Array.from({ length: 40 }, (_, index) => named(String(index)));
    for (const content of contents) await storeSample(store, content);
    for (let round = 0; round < 20; round += 1) {
      store.setMaxSize(round % 2 === 0 ? 0 : 1e9);
      const reads = contents.map(async ({ bytes, digest }) => {
        const blob = await store.blobs.open(digest);
        if (blob === undefined) return store.blobs.startFill(digest, createReadySource(bytes)).finished;
        const reader = blob.reader();
        blob.close();
        return (await drain(reader)).equals(bytes) || 'wrong bytes';
      });
      expect(await within('all reads', Promise.all(reads))).not.toContain('wrong bytes');
    }
    expect(store.counters()).toMatchObject({ damaged: 0, mismatched: 0 });
    expect(store.health()).toBe('ok');
  });
});

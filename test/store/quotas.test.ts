import { cp } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLayout } from '../../src/store/layout.ts';
import type { Store } from '../../src/store/open-store.ts';
import { openReadOnly } from '../../src/store/read-only.ts';
import { readStatistics } from '../../src/store/statistics.ts';
import { manifestOf } from '../contract/manifest-store.contract.ts';
import { eventually } from '../support/deadline.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { drain, readyWork, type Sample, sample } from './support/bytes.ts';
import { createManualClock, type ManualClock } from './support/manual-clock.ts';
import { createManualSource, createReadySource } from './support/manual-source.ts';
import { openTestStore } from './support/test-store.ts';

const SIZE = 10_000;

const named = (name: string, size = SIZE): Sample => sample(size, name);

async function fill(store: Store, { bytes, digest }: Sample): Promise<void> {
  expect(await store.blobs.startFill(digest, createReadySource(bytes)).finished).toBe(true);
}

/** A pull through an endpoint, of what may be there or not. */
async function pull(store: Store, endpoint: string, content: Sample): Promise<'hit' | 'miss'> {
  const stored = await store.blobs.open(content.digest);
  stored?.close();
  if (stored === undefined) await fill(store, content);
  store.quotas.used(endpoint, 'blob', content.digest);
  return stored === undefined ? 'miss' : 'hit';
}

async function isStored(store: Store, { digest }: Sample): Promise<boolean> {
  const blob = await store.blobs.open(digest);
  blob?.close();
  return blob !== undefined;
}

const stored = (store: Store, contents: readonly Sample[]) =>
  Promise.all(contents.map((content) => isStored(store, content)));

const useOf = (store: Store, name: string) => store.quotas.figures().find(({ endpoint }) => endpoint === name);

/** Settles when the pending uses are written and the endpoint has so many bytes. */
async function comesTo(store: Store, clock: ManualClock, endpoint: string, bytes: number): Promise<void> {
  clock.advance(5_000);
  await eventually(`${endpoint} uses ${bytes} bytes`, async () => useOf(store, endpoint)?.bytes === bytes || undefined);
}

/** The totals are those of the rows, and every row is about content that there is. */
function expectSoundBooks(directory: string): void {
  const database = openReadOnly(createLayout(directory).facts);
  const rows = (sql: string) => database.prepare(sql).all();
  expect(rows('SELECT endpoint, bytes, count FROM endpoint_totals WHERE count > 0 ORDER BY endpoint')).toEqual(
    rows(
      'SELECT endpoint, sum(size) AS bytes, count(*) AS count FROM endpoint_contents GROUP BY endpoint ORDER BY endpoint',
    ),
  );
  expect(rows('SELECT digest FROM endpoint_contents EXCEPT SELECT digest FROM contents')).toEqual([]);
  database.close();
}

describe('the quota of an endpoint', () => {
  it('makes it lose what it used least recently, and no more than is needed', async () => {
    const clock = createManualClock();
    await using opened = await openTestStore({ clock });
    const { store } = opened;
    store.quotas.set(new Map([['a', 3 * SIZE]]));
    const contents = ['1', '2', '3', '4'].map((name) => named(name));
    const [first, second, third, fourth] = contents as [Sample, Sample, Sample, Sample];
    for (const content of [first, second, third, first, fourth]) await pull(store, 'a', content);
    await comesTo(store, clock, 'a', 3 * SIZE);
    expect(await stored(store, [first, second, third, fourth])).toEqual([true, false, true, true]);
    expect(useOf(store, 'a')).toEqual({ endpoint: 'a', quota: 3 * SIZE, bytes: 3 * SIZE, count: 3, evicted: 1 });
    expect(store.counters().evicted).toBe(1);
  });

  it('counts what several share for each, and keeps the bytes until the last one loses them', async () => {
    const clock = createManualClock();
    await using opened = await openTestStore({ clock });
    const { store } = opened;
    store.quotas.set(
      new Map([
        ['a', SIZE],
        ['b', 2 * SIZE],
        ['c', undefined],
      ]),
    );
    const [shared, next, last] = [named('shared'), named('next'), named('last')];
    for (const endpoint of ['a', 'b']) await pull(store, endpoint, shared);
    await comesTo(store, clock, 'b', SIZE);
    expect(useOf(store, 'a')?.bytes).toBe(SIZE);
    await pull(store, 'a', next);
    clock.advance(5_000);
    await eventually('a loses what it shares', async () => useOf(store, 'a')?.evicted === 1 || undefined);
    expect(await stored(store, [shared, next])).toEqual([true, true]);
    expect(store.counters().evicted).toBe(0);
    // Whoever lost it and wants it again has it at once, and has it anew.
    expect(await pull(store, 'a', shared)).toBe('hit');
    clock.advance(5_000);
    await eventually('a loses the other', async () => useOf(store, 'a')?.evicted === 2 || undefined);
    expect(await stored(store, [shared, next])).toEqual([true, false]);
    for (const content of [next, last]) await pull(store, 'b', content);
    await comesTo(store, clock, 'b', 2 * SIZE);
    expect(await stored(store, [shared])).toEqual([true]);
    await pull(store, 'a', last);
    await comesTo(store, clock, 'a', SIZE);
    await eventually('nobody has the shared one', async () => !(await isStored(store, shared)) || undefined);
  });

  it('never takes what is being read or filled, and takes it later', async () => {
    const clock = createManualClock();
    await using opened = await openTestStore({ clock });
    const { store } = opened;
    store.quotas.set(new Map([['a', SIZE]]));
    const [read, filled, other] = [named('read'), named('filled'), named('other')];
    await pull(store, 'a', read);
    const blob = await store.blobs.open(read.digest);
    const reader = blob?.reader();
    blob?.close();
    await pull(store, 'a', other);
    await comesTo(store, clock, 'a', SIZE);
    expect(await stored(store, [read, other])).toEqual([true, false]);
    const { source, call } = createManualSource();
    const running = store.blobs.startFill(filled.digest, source);
    const arriving = await call(0);
    arriving.answer(200, [['Content-Length', String(SIZE)]]);
    await running.started;
    store.quotas.set(new Map([['a', 0]]));
    clock.advance(5_000);
    await readyWork();
    expect(reader && (await drain(reader)).equals(read.bytes)).toBe(true);
    await eventually('it is taken when it was read', async () => !(await isStored(store, read)) || undefined);
    arriving.send(filled.bytes);
    arriving.end();
    expect(await running.finished).toBe(true);
    expect((await drain(running.reader())).equals(filled.bytes)).toBe(true);
  });

  it('does not make room for one that is larger than all of it: that one goes when it was read', async () => {
    const clock = createManualClock();
    await using opened = await openTestStore({ clock });
    const { store } = opened;
    store.quotas.set(
      new Map([
        ['a', 3 * SIZE],
        ['b', undefined],
      ]),
    );
    const [small, huge] = [named('small'), named('huge', 4 * SIZE)];
    await pull(store, 'a', small);
    expect(await pull(store, 'a', huge)).toBe('miss');
    clock.advance(5_000);
    await eventually('the large one is gone', async () => !(await isStored(store, huge)) || undefined);
    expect(await isStored(store, small)).toBe(true);
    expect(useOf(store, 'a')).toMatchObject({ bytes: SIZE, evicted: 1 });
    // Another endpoint may keep it.
    for (const endpoint of ['b', 'a']) await pull(store, endpoint, huge);
    await comesTo(store, clock, 'b', 4 * SIZE);
    await readyWork();
    expect(await isStored(store, huge)).toBe(true);
  });

  it('counts manifests, and forgets what a purge takes', async () => {
    const clock = createManualClock();
    await using opened = await openTestStore({ clock });
    const { store } = opened;
    store.quotas.set(new Map([['a', 1_000_000]]));
    const manifest = manifestOf('some text');
    await store.manifests.put(manifest);
    store.quotas.used('a', 'manifest', manifest.digest);
    await pull(store, 'a', named('blob'));
    await comesTo(store, clock, 'a', SIZE + manifest.bytes.length);
    await store.maintenance.purge({ by: 'all' }, false);
    expect(useOf(store, 'a')).toMatchObject({ bytes: 0, count: 0 });
  });

  it('survives a restart with what was used, and a reload with other numbers', async () => {
    const clock = createManualClock();
    await using opened = await openTestStore({ clock });
    const quotas = new Map([
      ['a', 3 * SIZE],
      ['gone', undefined],
    ]);
    opened.store.quotas.set(quotas);
    const contents = ['1', '2', '3'].map((name) => named(name));
    for (const content of contents) await pull(opened.store, 'a', content);
    await pull(opened.store, 'gone', named('theirs'));
    const store = await opened.reopen();
    expect(store.quotas.figures()).toEqual([]);
    expect(readStatistics(opened.directory).endpoints).toEqual([
      { name: 'a', count: 3, bytes: 3 * SIZE, quota: 3 * SIZE },
      { name: 'gone', count: 1, bytes: SIZE, quota: null },
    ]);
    store.quotas.set(new Map([['a', SIZE]]));
    await comesTo(store, clock, 'a', SIZE);
    expect(await stored(store, contents)).toEqual([false, false, true]);
    // What an endpoint used that there is no more stays.
    await eventually('it is forgotten', async () => useOf(store, 'gone') === undefined || undefined);
    expect(await isStored(store, named('theirs'))).toBe(true);
  });

  it('is right after the process was killed, and counts from their next use what it did not write', async () => {
    const clock = createManualClock();
    await using opened = await openTestStore({ clock });
    opened.store.quotas.set(new Map([['a', 10 * SIZE]]));
    const [written, pending] = [named('written'), named('pending')];
    await pull(opened.store, 'a', written);
    await comesTo(opened.store, clock, 'a', SIZE);
    await pull(opened.store, 'a', pending);
    // What a process that is killed leaves behind, with its log that was not merged.
    await using copy = await temporaryDirectory();
    await cp(opened.directory, copy.path, { recursive: true, filter: (path) => !path.endsWith('-shm') });
    expectSoundBooks(copy.path);
    await using after = await openTestStore({ clock, directory: copy.path });
    after.store.quotas.set(new Map([['a', 10 * SIZE]]));
    expect(useOf(after.store, 'a')).toMatchObject({ bytes: SIZE, count: 1 });
    expect(await pull(after.store, 'a', pending)).toBe('hit');
    await comesTo(after.store, clock, 'a', 2 * SIZE);
    expectSoundBooks(copy.path);
  });

  it('lists nothing as long as there is none', async () => {
    const clock = createManualClock();
    await using opened = await openTestStore({ clock });
    opened.store.quotas.set(new Map([['a', undefined]]));
    await pull(opened.store, 'a', named('1'));
    clock.advance(60_000);
    expect(opened.store.quotas.figures()).toEqual([]);
    expect(readStatistics(opened.directory).endpoints).toEqual([]);
  });

  it('keeps its books for any history of several endpoints', async () => {
    const clock = createManualClock();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 5 })), { maxLength: 30 }),
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 0, max: 4 }),
        async (history, quotaOfA, quotaOfB) => {
          await using opened = await openTestStore({ clock });
          const { store } = opened;
          const quotas = new Map([
            ['a', quotaOfA * SIZE],
            ['b', quotaOfB * SIZE],
            ['c', undefined],
          ]);
          store.quotas.set(quotas);
          const contents = Array.from({ length: 6 }, (_, index) => named(`content ${index}`));
          for (const [endpoint, index] of history) {
            await pull(store, endpoint, contents[index] as Sample);
            clock.advance(5_000);
          }
          await eventually('all are within their quotas', async () => {
            const figures = store.quotas.figures();
            return figures.every(({ bytes, quota }) => bytes <= (quota ?? bytes)) || undefined;
          });
          // Whoever has no quota loses nothing that he used.
          const used = new Set(history.filter(([endpoint]) => endpoint === 'c').map(([, index]) => index));
          expect(useOf(store, 'c')).toMatchObject({ bytes: used.size * SIZE, count: used.size, evicted: 0 });
          for (const index of used) expect(await isStored(store, contents[index] as Sample)).toBe(true);
          expectSoundBooks(opened.directory);
        },
      ),
      { numRuns: 15 },
    );
  });
});

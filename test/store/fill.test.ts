import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { nodeFiles } from '../../src/store/files.ts';
import { within } from '../support/deadline.ts';
import { drain, KIB, MIB, noFileOpenBelow, readAtLeast, sample } from './support/bytes.ts';
import { createFaultyFiles } from './support/faulty-files.ts';
import { createManualClock } from './support/manual-clock.ts';
import { createManualSource, createReadySource } from './support/manual-source.ts';
import { blobPaths, openTestStore, partNames } from './support/test-store.ts';

const length = (bytes: Uint8Array): HeaderList => [['Content-Length', String(bytes.length)]];

describe('a fill that nobody reads any more', () => {
  async function abandonAt(share: number, size: number) {
    const clock = createManualClock();
    const opened = await openTestStore({ clock });
    const { bytes, digest } = sample(1 * MIB);
    const { source, call } = createManualSource();
    const fill = opened.store.blobs.startFill(digest, source);
    const upstream = await call(0);
    upstream.answer(200, [['Content-Length', String(size)]]);
    const reader = fill.reader();
    for (let sent = 0; sent < share * size; sent += bytes.length) {
      upstream.send(bytes);
      await readAtLeast(reader, bytes.length - (sent === 0 ? 64 * KIB : 0));
    }
    reader.close();
    clock.advance(4_999);
    expect(upstream.signal.aborted).toBe(false);
    clock.advance(1);
    return { opened, fill, upstream, digest };
  }

  it('is ended after five seconds when most of it is missing', async () => {
    const { opened, fill, upstream } = await abandonAt(0.01, 200 * MIB);
    await using _ = opened;
    expect(upstream.signal.aborted).toBe(true);
    await expect(fill.finished).rejects.toThrow();
    await within('the closed body', upstream.closed);
    expect(await partNames(opened.directory)).toEqual([]);
  });

  it('is finished when at most 64 MiB are missing', async () => {
    const { opened, upstream } = await abandonAt(0.01, 65 * MIB);
    await using _ = opened;
    expect(upstream.signal.aborted).toBe(false);
  });

  it('is finished when half of it is here', async () => {
    const { opened, upstream } = await abandonAt(0.5, 140 * MIB);
    await using _ = opened;
    expect(upstream.signal.aborted).toBe(false);
  });

  it('is not ended when somebody comes in time', async () => {
    const clock = createManualClock();
    await using opened = await openTestStore({ clock });
    const { source, call } = createManualSource();
    const fill = opened.store.blobs.startFill(sample(1).digest, source);
    const upstream = await call(0);
    upstream.answer(200, [['Content-Length', String(1e9)]]);
    await fill.started;
    clock.advance(4_999);
    const reader = fill.reader();
    clock.advance(60_000);
    expect(upstream.signal.aborted).toBe(false);
    reader.close();
    clock.advance(5_000);
    expect(upstream.signal.aborted).toBe(true);
  });
});

describe('a fill with wrong content', () => {
  it('leaves no file, and the digest is refused without asking for a minute', async () => {
    const clock = createManualClock();
    await using opened = await openTestStore({ clock });
    const { blobs } = opened.store;
    const { bytes, digest } = sample(100_000);
    const wrong = createReadySource(Buffer.alloc(100_000));
    await expect(blobs.startFill(digest, wrong).finished).rejects.toMatchObject({
      explanation: expect.stringContaining(
        `Asked for ${digest}, the registry sent 100000 bytes with the digest sha256:`,
      ),
    });
    expect(await blobPaths(opened.directory)).toEqual([]);
    expect(opened.store.counters()).toMatchObject({ mismatched: 1 });
    clock.advance(59_999);
    const good = createReadySource(bytes);
    const refused = blobs.startFill(digest, good);
    await expect(refused.started).rejects.toMatchObject({ status: 502, explanation: expect.stringContaining(digest) });
    expect(good.count).toBe(0);
    clock.advance(2);
    expect(await blobs.startFill(digest, good).finished).toBe(true);
    expect(await partNames(opened.directory)).toEqual([]);
  });

  it('is stopped as soon as more bytes come than were announced', async () => {
    await using opened = await openTestStore();
    const { bytes, digest } = sample(1000);
    const { source, call } = createManualSource();
    const fill = opened.store.blobs.startFill(digest, source);
    const upstream = await call(0);
    upstream.answer(200, length(bytes));
    const read = drain(fill.reader());
    upstream.send(Buffer.concat([bytes, Buffer.alloc(1)]));
    await expect(read).rejects.toMatchObject({ explanation: expect.stringContaining('more bytes than it announced') });
    await within('the closed body', upstream.closed);
  });

  it.each([['-1'], ['+5'], ['5, 5'], ['9007199254740993'], ['0x10'], ['']])(
    'is refused when its length is announced as "%s"',
    async (text) => {
      await using opened = await openTestStore();
      const { source, call } = createManualSource();
      const fill = opened.store.blobs.startFill(sample(5).digest, source);
      const upstream = await call(0);
      upstream.answer(200, [['Content-Length', text]]);
      await expect(fill.started).rejects.toMatchObject({ status: 502 });
      await within('the closed body', upstream.closed);
    },
  );
});

describe('storing a blob', () => {
  it('syncs its bytes before they get their name, and the name before it is listed', async () => {
    const files = createFaultyFiles(nodeFiles, () => undefined);
    await using opened = await openTestStore({ files });
    const { bytes, digest } = sample(10 * KIB);
    const before = files.calls.length;
    await opened.store.blobs.startFill(digest, createReadySource(bytes)).finished;
    const steps = files.calls.slice(before).filter((call) => /^(create|write|sync|rename)/.test(call));
    expect(steps).toEqual([
      'create',
      'write',
      'syncData',
      // Its directory is missing at first.
      'rename',
      'syncDirectory',
      'syncDirectory',
      'rename',
      'syncDirectory',
    ]);
  });
});

describe('the number of fills', () => {
  it('is limited to 64 at a time, and those that wait come in their order', async () => {
    await using opened = await openTestStore();
    const contents = Array.from({ length: 70 }, (_, index) => sample(10, `blob ${index}`));
    const upstreams = contents.map(() => createManualSource());
    const fills = contents.map(({ digest }, index) => {
      const upstream = upstreams[index] ?? createManualSource();
      return opened.store.blobs.startFill(digest, upstream.source);
    });
    await upstreams[63]?.call(0);
    expect(upstreams.map(({ calls }) => calls.length)).toEqual([...Array(64).fill(1), ...Array(6).fill(0)]);
    for (const [index, { bytes }] of contents.entries()) {
      const upstream = await upstreams[index]?.call(0);
      upstream?.answer(200, length(bytes));
      upstream?.send(bytes);
      upstream?.end();
      expect(await fills[index]?.finished).toBe(true);
    }
  });
});

describe('closing the store', () => {
  it('ends running fills, frees their files and refuses new ones', async () => {
    const opened = await openTestStore();
    const { blobs } = opened.store;
    const { bytes, digest } = sample(3 * MIB);
    const { source, call } = createManualSource();
    const fill = blobs.startFill(digest, source);
    const upstream = await call(0);
    upstream.answer(200, length(bytes));
    upstream.send(bytes.subarray(0, MIB));
    const refused = expect(drain(fill.reader())).rejects.toMatchObject({ explanation: 'manifix is shutting down.' });
    await opened.store.close();
    await refused;
    await expect(fill.finished).rejects.toThrow();
    await within('the closed body', upstream.closed);
    await expect(blobs.startFill(digest, source).started).rejects.toThrow();
    await noFileOpenBelow(opened.directory);
    expect(await partNames(opened.directory)).toEqual([]);
    await opened[Symbol.asyncDispose]();
  });
});

import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/store/files.ts';
import { eventually, within } from '../support/deadline.ts';
import { drain, isPending, KIB, MIB, noFileOpenBelow, readAtLeast, sample } from './support/bytes.ts';
import { createFaultyFiles, type FileCall } from './support/faulty-files.ts';
import { createManualClock } from './support/manual-clock.ts';
import { createManualSource, createReadySource } from './support/manual-source.ts';
import { blobPaths, openTestStore, partNames } from './support/test-store.ts';

/** A disk on which some calls fail while `isBroken`, after `healthyCalls` that did not. */
function breakableDisk(calls: readonly FileCall[], code: string, healthyCalls = 0) {
  const disk = { isBroken: false, seen: 0 };
  const files = createFaultyFiles(nodeFiles, (call) => {
    if (!disk.isBroken || !calls.includes(call)) return undefined;
    disk.seen += 1;
    return disk.seen > healthyCalls ? code : undefined;
  });
  return Object.assign(disk, { files });
}

describe('a disk that fails during a fill', () => {
  it.each<[FileCall, string, number]>([
    ['create', 'EROFS', 0],
    ['create', 'EMFILE', 0],
    ['write', 'ENOSPC', 0],
    ['write', 'EIO', 3],
    ['syncData', 'EIO', 0],
    ['rename', 'ENOSPC', 0],
    ['syncDirectory', 'EIO', 0],
    // Behind the two of the new directories: the file has its name already.
    ['syncDirectory', 'EIO', 2],
    ['makeDirectory', 'ENOSPC', 0],
  ])('by %s with %s lets all readers finish and stores nothing', async (call, code, healthyCalls) => {
    const disk = breakableDisk([call], code, healthyCalls);
    await using opened = await openTestStore({ files: disk.files });
    disk.isBroken = true;
    const { bytes, digest } = sample(16 * MIB);
    const fill = opened.store.blobs.startFill(digest, createReadySource(bytes));
    const reads = [fill.reader(), fill.reader(), fill.reader()].map(drain);
    for (const got of await within('the readers', Promise.all(reads))) expect(got.equals(bytes)).toBe(true);
    expect(await fill.finished).toBe(false);
    expect(await blobPaths(opened.directory)).toEqual([]);
    expect(await partNames(opened.directory)).toEqual([]);
    expect(await opened.store.blobs.open(digest)).toBeUndefined();
    expect(opened.store.usage()).toEqual({ bytes: 0, blobs: 0 });
    expect(opened.store.health()).toEqual({ degraded: expect.stringContaining(code) });
    expect(opened.warnings.length).toBe(1);
  });

  it('is trusted again as soon as a later write succeeds', async () => {
    const disk = breakableDisk(['write'], 'ENOSPC');
    await using opened = await openTestStore({ files: disk.files });
    const { bytes, digest } = sample(MIB);
    disk.isBroken = true;
    expect(await opened.store.blobs.startFill(digest, createReadySource(bytes)).finished).toBe(false);
    expect(opened.store.health()).not.toBe('ok');
    disk.isBroken = false;
    expect(await opened.store.blobs.startFill(digest, createReadySource(bytes)).finished).toBe(true);
    expect(opened.store.health()).toBe('ok');
    expect(opened.warnings.at(-1)).toBe('The cache works again.');
  });

  it('makes the slowest reader set the pace, with bounded memory, and loses it no byte', async () => {
    const disk = breakableDisk(['write'], 'ENOSPC', 2);
    await using opened = await openTestStore({ files: disk.files });
    disk.isBroken = true;
    const { bytes, digest } = sample(40 * MIB);
    let taken = 0;
    const { source, call } = createManualSource();
    const fill = opened.store.blobs.startFill(digest, source);
    const upstream = await call(0);
    upstream.answer(200, [['Content-Length', String(bytes.length)]]);
    upstream.body.on('data', (chunk: Buffer) => {
      taken += chunk.length;
    });
    const slow = fill.reader();
    const quick = drain(fill.reader());
    for (let at = 0; at < bytes.length; at += 256 * KIB) upstream.send(bytes.subarray(at, at + 256 * KIB));
    upstream.end();
    expect(await isPending(quick)).toBe(true);
    const start = await within('the slow reader', readAtLeast(slow, MIB));
    expect(await isPending(quick)).toBe(true);
    expect(taken).toBeLessThan(12 * MIB);
    const rest = drain(slow);
    expect((await within('the quick reader', quick)).equals(bytes)).toBe(true);
    expect(Buffer.concat([start, await within('the slow reader', rest)]).equals(bytes)).toBe(true);
    expect(await fill.finished).toBe(false);
  });

  it('does not let readers of ranges, who wait for the whole, hold up the whole', async () => {
    const disk = breakableDisk(['write'], 'ENOSPC');
    await using opened = await openTestStore({ files: disk.files });
    disk.isBroken = true;
    const { bytes, digest } = sample(20 * MIB);
    const fill = opened.store.blobs.startFill(digest, createReadySource(bytes));
    await fill.started;
    const ranges = [
      { start: 0, end: 0 },
      { start: 5, end: 100_000 },
      { start: MIB, end: 3 * MIB },
    ];
    const reads = ranges.map((range) => drain(fill.reader(range)));
    const whole = drain(fill.reader());
    expect((await within('the whole', whole)).equals(bytes)).toBe(true);
    const got = await within('the ranges', Promise.all(reads));
    expect(
      got.map((part, index) => part.equals(bytes.subarray(ranges[index]?.start, (ranges[index]?.end ?? 0) + 1))),
    ).toEqual(ranges.map(() => true));
  });

  it('does not let a newcomer join whose first bytes are gone, but gives it a download of its own', async () => {
    const disk = breakableDisk(['create'], 'EROFS');
    await using opened = await openTestStore({ files: disk.files });
    disk.isBroken = true;
    const { bytes, digest } = sample(10 * MIB);
    const { source, call, calls } = createManualSource();
    const fill = opened.store.blobs.startFill(digest, source);
    const upstream = await call(0);
    upstream.answer(200, [['Content-Length', String(bytes.length)]]);
    const reader = fill.reader();
    expect(opened.store.blobs.fill(digest)).toBe(fill);
    const got: Buffer[] = [];
    for (let at = 0; at < 8 * MIB; at += MIB) {
      upstream.send(bytes.subarray(at, at + MIB));
      got.push(await within('the reader', readAtLeast(reader, MIB)));
    }
    // Memory is kept until it is hashed, which another thread does.
    await eventually(
      'the first bytes are gone',
      async () => opened.store.blobs.fill(digest) === undefined || undefined,
    );
    const other = opened.store.blobs.startFill(digest, createReadySource(bytes));
    expect((await within('the newcomer', drain(other.reader()))).equals(bytes)).toBe(true);
    upstream.send(bytes.subarray(8 * MIB));
    upstream.end();
    got.push(await within('the first', drain(reader)));
    expect(Buffer.concat(got).equals(bytes)).toBe(true);
    expect(calls.length).toBe(1);
  });

  it('does not let fills that wait for slow readers hold up others', async () => {
    const disk = breakableDisk(['create'], 'EROFS');
    await using opened = await openTestStore({ files: disk.files });
    disk.isBroken = true;
    for (let index = 0; index < 65; index += 1) {
      const { source, call } = createManualSource();
      const fill = opened.store.blobs.startFill(sample(1000, `blob ${index}`).digest, source);
      const upstream = await call(0);
      upstream.answer(200, [['Content-Length', '1000']]);
      await fill.started;
      fill
        .reader()
        .next()
        .catch(() => undefined);
    }
    expect(opened.store.counters()).toMatchObject({ fills: 65 });
  });

  it('leaves a fill without readers nothing to live for', async () => {
    const clock = createManualClock();
    const disk = breakableDisk(['create'], 'EROFS');
    await using opened = await openTestStore({ files: disk.files, clock });
    disk.isBroken = true;
    const { source, call } = createManualSource();
    const fill = opened.store.blobs.startFill(sample(1).digest, source);
    const upstream = await call(0);
    upstream.answer(200, [['Content-Length', '1000']]);
    await fill.started;
    clock.advance(5_000);
    await eventually('the failed disk', async () => opened.store.health() !== 'ok' || undefined);
    clock.advance(5_000);
    await expect(fill.finished).rejects.toThrow();
    expect(upstream.signal.aborted).toBe(true);
  });
});

describe('a blob that is larger than the whole cache', () => {
  it('is served but not stored, and evicts nothing', async () => {
    await using opened = await openTestStore({ maxSize: MIB });
    const small = sample(1000, 'small');
    await opened.store.blobs.startFill(small.digest, createReadySource(small.bytes)).finished;
    const { bytes, digest } = sample(MIB + 1);
    const fill = opened.store.blobs.startFill(digest, createReadySource(bytes));
    expect((await drain(fill.reader())).equals(bytes)).toBe(true);
    expect(await fill.finished).toBe(false);
    expect(opened.store.usage()).toEqual({ bytes: 1000, blobs: 1 });
    expect(opened.store.health()).toBe('ok');
    expect(await partNames(opened.directory)).toEqual([]);
  });
});

describe('file descriptors', () => {
  it('are all given back when fills and readers are over', async () => {
    const clock = createManualClock();
    await using opened = await openTestStore({ clock });
    const { bytes, digest } = sample(9 * MIB);
    const fill = opened.store.blobs.startFill(digest, createReadySource(bytes));
    const readers = [fill.reader(), fill.reader(), fill.reader()];
    await Promise.all(readers.slice(0, 2).map(drain));
    await readers[2]?.next();
    await fill.finished;
    readers[2]?.close();
    clock.advance(5_000);
    await noFileOpenBelow(opened.directory);
    const blob = await opened.store.blobs.open(digest);
    const reader = blob?.reader();
    const reading = reader?.next().catch(() => undefined);
    reader?.close();
    blob?.close();
    await reading;
    await opened.store.close();
    await noFileOpenBelow(opened.directory);
  });
});

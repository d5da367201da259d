import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { within } from '../support/deadline.ts';
import { drain, isPending, KIB, MIB, readAtLeast, sample } from './support/bytes.ts';
import { createManualSource, createReadySource } from './support/manual-source.ts';
import { openTestStore } from './support/test-store.ts';

const length = (bytes: Uint8Array): HeaderList => [['Content-Length', String(bytes.length)]];

describe('readers of one fill', () => {
  it('can join at any point and read it from its start', async () => {
    await using opened = await openTestStore();
    const { bytes, digest } = sample(12 * MIB);
    const { source, call } = createManualSource();
    const fill = opened.store.blobs.startFill(digest, source);
    const upstream = await call(0);
    upstream.answer(200, length(bytes));
    const first = fill.reader();
    const reads: Promise<Buffer>[] = [];
    for (let at = 0; at < bytes.length; at += 256 * KIB) {
      reads.push(drain(opened.store.blobs.startFill(digest, source).reader()));
      upstream.send(bytes.subarray(at, at + 256 * KIB));
      if (at + 512 * KIB <= bytes.length) await within('the frontier', readAtLeast(first, 1));
    }
    upstream.end();
    for (const got of await within('all readers', Promise.all(reads))) expect(got.equals(bytes)).toBe(true);
    first.close();
  });

  it('are not slowed by one that does not read at all', async () => {
    await using opened = await openTestStore();
    const { bytes, digest } = sample(24 * MIB);
    const fill = opened.store.blobs.startFill(digest, createReadySource(bytes));
    const stalled = fill.reader();
    const stalledLater = fill.reader();
    await stalledLater.next();
    expect((await within('the quick reader', drain(fill.reader()))).equals(bytes)).toBe(true);
    expect(await within('the fill', fill.finished)).toBe(true);
    expect((await drain(stalled)).equals(bytes)).toBe(true);
    stalledLater.close();
  });

  it.each(['holds its chunk', 'leaves with its chunk on the way'])('are not changed under one that %s', async (how) => {
    await using opened = await openTestStore();
    const { bytes, digest } = sample(24 * MIB);
    const { source, call } = createManualSource();
    const fill = opened.store.blobs.startFill(digest, source);
    const upstream = await call(0);
    upstream.answer(200, length(bytes));
    const slow = fill.reader();
    upstream.send(bytes.subarray(0, MIB));
    const chunk = (await within('the first chunk', slow.next())) ?? Buffer.alloc(0);
    if (how !== 'holds its chunk') slow.close();
    const quick = drain(fill.reader());
    // In pieces, so that memory comes into use again on the way.
    for (let at = MIB; at < bytes.length; at += 256 * KIB) upstream.send(bytes.subarray(at, at + 256 * KIB));
    upstream.end();
    expect((await within('the quick reader', quick)).equals(bytes)).toBe(true);
    expect(bytes.subarray(0, chunk.length).equals(chunk)).toBe(true);
    slow.close();
  });

  it('go on when the one that came first leaves', async () => {
    await using opened = await openTestStore();
    const { bytes, digest } = sample(2 * MIB);
    const { source, call } = createManualSource();
    const fill = opened.store.blobs.startFill(digest, source);
    const upstream = await call(0);
    upstream.answer(200, length(bytes));
    const leader = fill.reader();
    const follower = drain(fill.reader());
    upstream.send(bytes.subarray(0, MIB));
    await readAtLeast(leader, 1);
    const waiting = leader.next();
    leader.close();
    await expect(waiting).rejects.toThrow('closed');
    upstream.send(bytes.subarray(MIB));
    upstream.end();
    expect((await within('the follower', follower)).equals(bytes)).toBe(true);
  });

  it('get ranges of a running fill, each with its own end withheld until the whole is verified', async () => {
    await using opened = await openTestStore();
    const { bytes, digest } = sample(3 * MIB);
    const { source, call } = createManualSource();
    const fill = opened.store.blobs.startFill(digest, source);
    const upstream = await call(0);
    upstream.answer(200, length(bytes));
    await fill.started;
    const ranges = [
      { start: 0, end: 0 },
      { start: 0, end: 300_000 },
      { start: MIB, end: 2 * MIB - 1 },
      { start: bytes.length - 1, end: bytes.length - 1 },
      { start: 5, end: bytes.length - 1 },
    ];
    const given = ranges.map(() => 0);
    const reads = ranges.map((range, index) => {
      const reader = fill.reader(range);
      const counted = async () => {
        const chunk = await reader.next();
        given[index] = (given[index] ?? 0) + (chunk?.length ?? 0);
        return chunk;
      };
      return drain({ next: counted, close: reader.close });
    });
    upstream.send(bytes);
    await Promise.all(reads.map(isPending));
    expect(given).toEqual(ranges.map(({ start, end }) => Math.max(0, end + 1 - start - 64 * KIB)));
    upstream.end();
    const got = await within('the ranges', Promise.all(reads));
    for (const [index, { start, end }] of ranges.entries()) {
      expect(got[index]?.equals(bytes.subarray(start, end + 1))).toBe(true);
    }
  });

  it('are refused a range beyond the end of a blob whose length nobody said', async () => {
    await using opened = await openTestStore();
    const { bytes, digest } = sample(1000);
    const { source, call } = createManualSource();
    const fill = opened.store.blobs.startFill(digest, source);
    const upstream = await call(0);
    upstream.answer(200, []);
    const read = drain(fill.reader({ start: 500, end: 1000 }));
    upstream.send(bytes);
    upstream.end();
    await expect(read).rejects.toThrow('ends at byte 1000');
  });
});

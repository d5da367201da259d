import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import { UpstreamRefusal } from '../../src/domain/upstream-refusal.ts';
import type { BlobStore } from '../../src/store/types.ts';
import { drain, isPending, KIB, readAtLeast, sample } from '../store/support/bytes.ts';
import { bodyOf, createManualSource, createReadySource } from '../store/support/manual-source.ts';
import { within } from '../support/deadline.ts';

export interface OpenedBlobStore extends AsyncDisposable {
  readonly blobs: BlobStore;
}

/** What every blob store promises. */
export function blobStoreContract(open: () => Promise<OpenedBlobStore>): void {
  describe('a blob store', () => {
    storing(open);
    sharing(open);
    refusing(open);
  });
}

async function fillFrom(blobs: BlobStore, digest: Digest, bytes: Uint8Array): Promise<void> {
  await within('the fill', blobs.startFill(digest, createReadySource(bytes)).finished);
}

async function readStored(blobs: BlobStore, digest: Digest): Promise<Buffer | undefined> {
  const blob = await blobs.open(digest);
  if (blob === undefined) return undefined;
  try {
    return await drain(blob.reader());
  } finally {
    blob.close();
  }
}

function storing(open: () => Promise<OpenedBlobStore>): void {
  it('has nothing under a digest that was never filled', async () => {
    await using opened = await open();
    expect(await opened.blobs.open(sample(1).digest)).toBeUndefined();
    expect(opened.blobs.fill(sample(1).digest)).toBeUndefined();
  });

  it.each([
    ['an empty blob', 0],
    ['one byte', 1],
    ['one chunk', 64 * KIB],
    ['a byte more than the withheld tail', 64 * KIB + 1],
    ['several megabytes', 5_000_001],
  ])('gives back %s as it came', async (_what, size) => {
    await using opened = await open();
    const { bytes, digest } = sample(size);
    const fill = opened.blobs.startFill(digest, createReadySource(bytes));
    expect(await fill.started).toMatchObject({ size });
    expect((await drain(fill.reader())).equals(bytes)).toBe(true);
    expect(await fill.finished).toBe(true);
    const blob = await opened.blobs.open(digest);
    expect(blob?.size).toBe(size);
    blob?.close();
    expect((await readStored(opened.blobs, digest))?.equals(bytes)).toBe(true);
  });

  it.each(['sha384', 'sha512'] as const)('verifies and stores by %s', async (algorithm) => {
    await using opened = await open();
    const { bytes, digest } = sample(100_000, 'other algorithm', algorithm);
    await fillFrom(opened.blobs, digest, bytes);
    expect((await readStored(opened.blobs, digest))?.equals(bytes)).toBe(true);
  });

  it('gives any range of a stored blob', async () => {
    await using opened = await open();
    const { bytes, digest } = sample(300_000);
    await fillFrom(opened.blobs, digest, bytes);
    const blob = await opened.blobs.open(digest);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(bytes.length - 1), async (one, other) => {
        const range = { start: Math.min(one, other), end: Math.max(one, other) };
        const got = blob && (await drain(blob.reader(range)));
        expect(got?.equals(bytes.subarray(range.start, range.end + 1))).toBe(true);
      }),
      { numRuns: 40 },
    );
    blob?.close();
  });

  it('lets readers of a stored blob finish after it was closed', async () => {
    await using opened = await open();
    const { bytes, digest } = sample(200_000);
    await fillFrom(opened.blobs, digest, bytes);
    const blob = await opened.blobs.open(digest);
    const reader = blob?.reader();
    blob?.close();
    expect(reader && (await drain(reader)).equals(bytes)).toBe(true);
  });

  it('refuses to read from a reader that was closed, and keeps what it gave out last', async () => {
    await using opened = await open();
    const { bytes, digest } = sample(200_000);
    await fillFrom(opened.blobs, digest, bytes);
    const blob = await opened.blobs.open(digest);
    const reader = blob?.reader();
    const chunk = await reader?.next();
    reader?.close();
    reader?.close();
    await expect(reader?.next()).rejects.toThrow('closed');
    for (let count = 0; count < 5; count += 1) await readStored(opened.blobs, digest);
    expect(chunk && bytes.subarray(0, chunk.length).equals(chunk)).toBe(true);
    blob?.close();
  });
}

function sharing(open: () => Promise<OpenedBlobStore>): void {
  it('asks the registry once for any number of simultaneous readers', async () => {
    await using opened = await open();
    const { bytes, digest } = sample(3_000_000);
    const source = createReadySource(bytes);
    const reads = Array.from({ length: 50 }, () => drain(opened.blobs.startFill(digest, source).reader()));
    for (const got of await within('all readers', Promise.all(reads))) expect(got.equals(bytes)).toBe(true);
    expect(source.count).toBe(1);
  });

  it('does not ask the registry for a blob that was stored since it was looked for', async () => {
    await using opened = await open();
    const { bytes, digest } = sample(100_000);
    expect(await opened.blobs.open(digest)).toBeUndefined();
    await fillFrom(opened.blobs, digest, bytes);
    const source = createReadySource(bytes);
    const fill = opened.blobs.startFill(digest, source);
    expect(await fill.started).toEqual({ size: bytes.length, headers: [] });
    expect((await drain(fill.reader())).equals(bytes)).toBe(true);
    expect(await fill.finished).toBe(true);
    expect(source.count).toBe(0);
  });

  it('gives what arrived at once, but the last 64 KiB only when all of it was verified', async () => {
    await using opened = await open();
    const { bytes, digest } = sample(200 * KIB);
    const { source, call } = createManualSource();
    const fill = opened.blobs.startFill(digest, source);
    const upstream = await call(0);
    upstream.answer(200, [['Content-Length', String(bytes.length)]]);
    const reader = fill.reader();
    upstream.send(bytes);
    const early = await within('the first part', readAtLeast(reader, 136 * KIB));
    expect(early.length).toBe(136 * KIB);
    const rest = drain(reader);
    expect(await isPending(rest)).toBe(true);
    upstream.end();
    expect(Buffer.concat([early, await within('the tail', rest)]).equals(bytes)).toBe(true);
  });

  it('withholds a tail although nobody said how long the blob is', async () => {
    await using opened = await open();
    const { bytes, digest } = sample(200 * KIB);
    const { source, call } = createManualSource();
    const fill = opened.blobs.startFill(digest, source);
    const upstream = await call(0);
    upstream.answer(200, []);
    expect(await fill.started).toMatchObject({ size: undefined });
    const reader = fill.reader();
    upstream.send(bytes);
    const early = await within('the first part', readAtLeast(reader, 136 * KIB));
    expect(early.length).toBe(136 * KIB);
    upstream.end();
    expect(Buffer.concat([early, await drain(reader)]).equals(bytes)).toBe(true);
    expect(await fill.finished).toBe(true);
  });
}

function refusing(open: () => Promise<OpenedBlobStore>): void {
  it.each([
    ['the first byte', 0],
    ['a byte in the middle', 100_000],
    ['the last byte', 199_999],
  ])('completes no reader and stores nothing when %s is wrong', async (_where, at) => {
    await using opened = await open();
    const { bytes, digest } = sample(200_000);
    const wrong = Buffer.from(bytes);
    wrong[at] = (wrong[at] ?? 0) ^ 1;
    const fill = opened.blobs.startFill(digest, createReadySource(wrong));
    const readers = [fill.reader(), fill.reader(), fill.reader({ start: 10, end: 20 })];
    const outcomes = await within('the readers', Promise.allSettled(readers.map(drain)));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await expect(fill.finished).rejects.toMatchObject({ code: 'UNAVAILABLE', status: 502 });
    expect(await opened.blobs.open(digest)).toBeUndefined();
  });

  it('refuses a registry that sent wrong bytes for a while, and no other', async () => {
    await using opened = await open();
    const { bytes, digest } = sample(1_000);
    await expect(
      opened.blobs.startFill(digest, createReadySource(Buffer.alloc(1_000)), 'bad').finished,
    ).rejects.toThrow();
    await expect(opened.blobs.startFill(digest, createReadySource(bytes), 'bad').finished).rejects.toThrow();
    expect(await opened.blobs.startFill(digest, createReadySource(bytes), 'good').finished).toBe(true);
  });

  it('gives everyone who waits the refusal of the registry, word for word', async () => {
    await using opened = await open();
    const { digest } = sample(10);
    const body = Buffer.from('{"errors":[{"code":"BLOB_UNKNOWN"}]}');
    const source = async () => ({ status: 404, headers: [['X-Why', 'gone']] as const, body: bodyOf(body) });
    const fills = [opened.blobs.startFill(digest, source), opened.blobs.startFill(digest, source)];
    for (const fill of fills) {
      const error = await fill.started.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(UpstreamRefusal);
      expect(error).toMatchObject({ response: { status: 404, headers: [['X-Why', 'gone']], body } });
    }
  });

  it('asks the registry again after a refusal', async () => {
    await using opened = await open();
    const { bytes, digest } = sample(10);
    const source = async () => ({ status: 401, headers: [], body: bodyOf(Buffer.alloc(0)) });
    await expect(opened.blobs.startFill(digest, source).finished).rejects.toBeInstanceOf(UpstreamRefusal);
    await fillFrom(opened.blobs, digest, bytes);
    expect((await readStored(opened.blobs, digest))?.equals(bytes)).toBe(true);
  });

  it('passes on why the registry could not be asked', async () => {
    await using opened = await open();
    const unreachable = new Error('connect ECONNREFUSED');
    const fill = opened.blobs.startFill(sample(1).digest, () => Promise.reject(unreachable));
    await expect(fill.started).rejects.toBe(unreachable);
    await expect(fill.finished).rejects.toBe(unreachable);
  });
}

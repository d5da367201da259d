import { buffer } from 'node:stream/consumers';
import { type Digest, digestOf } from '../../src/domain/digest.ts';
import { headerValue } from '../../src/domain/headers.ts';
import { UpstreamRefusal } from '../../src/domain/upstream-refusal.ts';
import type { BlobReader, BlobStore, ByteRange, Fill, FillSource } from '../../src/pipeline/ports.ts';
import { digestMismatch } from '../../src/pipeline/verified-stream.ts';

export interface FakeBlobStore extends BlobStore {
  readonly stored: ReadonlyMap<Digest, Uint8Array>;
  put(bytes: Uint8Array): Digest;
  /** Readers that were handed out and not closed. */
  readonly openReaders: number;
  /** What the next `open` does before it says that the blob is absent. */
  beforeAbsent: (() => void) | undefined;
}

/** A blob store in memory. A fill hands its bytes out at the end, and keeps them when they have the digest. */
export function fakeBlobStore(): FakeBlobStore {
  const stored = new Map<Digest, Uint8Array>();
  const fills = new Map<Digest, Fill>();
  const open = new Set<BlobReader>();

  function readerOf(bytes: Promise<Uint8Array>, range?: ByteRange): BlobReader {
    let isRead = false;
    const reader: BlobReader = {
      async next() {
        if (isRead) return undefined;
        isRead = true;
        return (await bytes).subarray(range?.start, range === undefined ? undefined : range.end + 1);
      },
      close: () => void open.delete(reader),
    };
    open.add(reader);
    return reader;
  }

  function start(digest: Digest, source: FillSource): Fill {
    const started = Promise.withResolvers<{ size: number | undefined }>();
    const bytes = fetchAll(digest, source, started.resolve);
    started.promise.catch(() => {});
    const finished = bytes.then(
      (whole) => {
        stored.set(digest, whole);
        fills.delete(digest);
        return true;
      },
      (error: unknown) => {
        // Nobody can join it any more once anybody knows that it failed.
        fills.delete(digest);
        started.reject(error);
        throw error;
      },
    );
    finished.catch(() => {});
    const fill: Fill = {
      received: 0,
      started: started.promise,
      finished,
      reader(range) {
        // The store keeps what a fill held for a few seconds behind its end.
        if (fills.get(digest) !== fill) throw new Error('the fill is over');
        return readerOf(bytes, range);
      },
    };
    fills.set(digest, fill);
    return fill;
  }

  async function fetchAll(
    digest: Digest,
    source: FillSource,
    onStart: (head: { size: number | undefined }) => void,
  ): Promise<Uint8Array> {
    await Promise.resolve();
    const known = stored.get(digest);
    if (known !== undefined) {
      onStart({ size: known.length });
      return known;
    }
    const { status, headers, body } = await source(new AbortController().signal);
    if (status !== 200) throw new UpstreamRefusal({ status, headers, body: await buffer(body) });
    const length = headerValue(headers, 'Content-Length');
    onStart({ size: length === undefined ? undefined : Number(length) });
    const whole = await buffer(body);
    const actual = digestOf(whole);
    if (actual !== digest) throw digestMismatch(digest, actual);
    return whole;
  }

  return {
    stored,
    beforeAbsent: undefined,
    get openReaders() {
      return open.size;
    },
    put(bytes) {
      const digest = digestOf(bytes);
      stored.set(digest, bytes);
      return digest;
    },
    async open(digest) {
      const bytes = stored.get(digest);
      if (bytes === undefined) {
        this.beforeAbsent?.();
        return undefined;
      }
      return { size: bytes.length, reader: (range) => readerOf(Promise.resolve(bytes), range), close: () => {} };
    },
    fill: (digest) => fills.get(digest),
    startFill: (digest, source) => fills.get(digest) ?? start(digest, source),
  };
}

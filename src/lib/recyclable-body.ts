import { Readable, type ReadableOptions } from 'node:stream';

/** A body whose chunks can be given back once they were used, so that the next bytes come into the same memory. */
export class RecyclableBody extends Readable {
  /** Says that nobody reads the chunk any more. Whoever does not say so keeps the chunk. */
  readonly recycle: (chunk: Uint8Array) => void;
  /** Bytes that came so far. */
  received = 0;

  constructor(options: ReadableOptions & { readonly recycle: (chunk: Uint8Array) => void }) {
    super(options);
    this.recycle = options.recycle;
  }

  override push(chunk: Uint8Array | null): boolean {
    this.received += chunk?.length ?? 0;
    return super.push(chunk);
  }
}

/** Gives a chunk of any body back, if that body takes chunks back. */
export function recycle(body: Readable, chunk: Uint8Array): void {
  if (body instanceof RecyclableBody) body.recycle(chunk);
}

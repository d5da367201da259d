/** Buffers that are used again and again: fresh ones cost a page fault for every 4 KiB. */
export interface BufferPool {
  /** Bytes of the buffers that were taken and neither given back nor given up. */
  readonly lent: number;
  /** A buffer of exactly that size with unspecified content. */
  take(size: number): Buffer;
  /** Gives a buffer back. Nobody may read or write it from then on. */
  give(buffer: Buffer): void;
  /** Says that a buffer will not come back, because somebody may still read it. */
  giveUp(buffer: Buffer): void;
}

/**
 * Makes a pool that keeps at most `retainedBytes` of idle buffers.
 * @param allocate makes a buffer when none is idle
 */
export function createBufferPool(
  retainedBytes: number,
  allocate: (size: number) => Buffer = Buffer.allocUnsafeSlow,
): BufferPool {
  const idle = new Map<number, Buffer[]>();
  let retained = 0;
  let lent = 0;

  /** What is asked for now is worth more than what a burst left behind. Returns the bytes that were freed. */
  function dropOther(size: number): number {
    for (const [other, shelf] of idle) {
      if (other !== size && shelf.pop() !== undefined) return other;
    }
    return 0;
  }

  return {
    get lent() {
      return lent;
    },
    take(size) {
      lent += size;
      const buffer = idle.get(size)?.pop();
      if (buffer === undefined) return allocate(size);
      retained -= size;
      return buffer;
    },
    give(buffer) {
      const size = buffer.length;
      lent -= size;
      while (retained + size > retainedBytes) {
        const dropped = dropOther(size);
        if (dropped === 0) return;
        retained -= dropped;
      }
      const shelf = idle.get(size);
      if (shelf === undefined) idle.set(size, [buffer]);
      else shelf.push(buffer);
      retained += size;
    },
    giveUp(buffer) {
      lent -= buffer.length;
    },
  };
}

/** A buffer whose memory other threads can read without a copy. */
export function allocateShared(size: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(size));
}

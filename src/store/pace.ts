/** How fast a client takes its chunks, and so how large the next one shall be. */
export interface Pace {
  /** Bytes to read for the next chunk. */
  readonly chunkSize: number;
  /** Whether the client keeps up, so that reading ahead pays. */
  readonly isQuick: boolean;
  /** The client has the chunk. */
  delivered(length: number): void;
  /** The client asks for the next one. */
  wanted(): void;
}

export const SMALL_CHUNK = 64 * 1024;
const LARGE_CHUNK = 512 * 1024;
// What the socket buffers of a stalled client swallow at once looks like speed, so speed counts only behind that.
const PROOF_OF_SPEED = 4 * 1024 * 1024;
const QUICK_MILLISECONDS = 50;
const SLOW_MILLISECONDS = 1_000;

/** Starts small: a slow client pins 64 KiB, a quick one gets 512 KiB at a time. `now` is in milliseconds. */
export function createPace(now: () => number): Pace {
  let chunkSize = SMALL_CHUNK;
  let bytes = 0;
  let deliveredAt: number | undefined;
  return {
    get chunkSize() {
      return chunkSize;
    },
    get isQuick() {
      return chunkSize > SMALL_CHUNK;
    },
    delivered(length) {
      bytes += length;
      deliveredAt = now();
    },
    wanted() {
      if (deliveredAt === undefined) return;
      const elapsed = now() - deliveredAt;
      if (elapsed > SLOW_MILLISECONDS) {
        chunkSize = SMALL_CHUNK;
        bytes = 0;
      } else if (elapsed < QUICK_MILLISECONDS && bytes >= PROOF_OF_SPEED) {
        chunkSize = Math.min(chunkSize * 2, LARGE_CHUNK);
      }
    },
  };
}

/** The newest bytes of a stream, in memory, as they arrived. */
export interface RecentChunks {
  /** Position of the first byte that is still here. */
  readonly start: number;
  /** Position behind the last byte. */
  readonly end: number;
  readonly count: number;
  push(chunk: Uint8Array): void;
  /** From `position` to the end of its chunk, but not beyond `limit`; undefined when it is not here. */
  at(position: number, limit: number): Uint8Array | undefined;
  /** All from `position` on. */
  from(position: number): readonly Uint8Array[];
  /** Forgets whole chunks in front of `position`, the oldest first, while more than `keepBytes` or `keepCount` are here. */
  trim(position: number, keepBytes: number, keepCount: number): void;
}

interface Placed {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** Makes an empty one. */
export function createRecentChunks(): RecentChunks {
  const chunks: Placed[] = [];
  let end = 0;

  const start = () => chunks[0]?.start ?? end;

  // The chunk that holds `position`, by halving: a 1 KiB drip makes thousands of chunks.
  function indexOf(position: number): number {
    let low = 0;
    let high = chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((chunks[middle]?.start ?? end) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  return {
    get start() {
      return start();
    },
    get end() {
      return end;
    },
    get count() {
      return chunks.length;
    },
    push(bytes) {
      chunks.push({ start: end, bytes });
      end += bytes.length;
    },
    at(position, limit) {
      if (position < start() || position >= Math.min(end, limit)) return undefined;
      const chunk = chunks[indexOf(position)];
      return chunk?.bytes.subarray(position - chunk.start, limit - chunk.start);
    },
    from(position) {
      if (position >= end) return [];
      const first = indexOf(position);
      return chunks.slice(first).map(({ start: at, bytes }) => (at < position ? bytes.subarray(position - at) : bytes));
    },
    trim(position, keepBytes, keepCount) {
      let dropped = 0;
      for (const { start: at, bytes } of chunks) {
        const isSurplus = end - at > keepBytes || chunks.length - dropped > keepCount;
        if (at + bytes.length > position || !isSurplus) break;
        dropped += 1;
      }
      if (dropped > 0) chunks.splice(0, dropped);
    },
  };
}

import type { BufferPool } from '../lib/buffer-pool.ts';

/** The newest bytes of a stream, in blocks of memory that are used again. */
export interface RecentBytes {
  /** Position of the first byte that is still here. */
  readonly start: number;
  /** Position behind the last byte. */
  readonly end: number;
  /** Copies the bytes behind those that are here. */
  push(chunk: Buffer): void;
  /** Some from `position` on, but none beyond `limit`; undefined when they are not here. */
  at(position: number, limit: number): Lent | undefined;
  /** All from `position` on, or the first of them up to `most` bytes; valid until they are trimmed. */
  from(position: number, most?: number): readonly Uint8Array[];
  /** Forgets whole blocks in front of `position`, the oldest first, while more than `keepBytes` are here. */
  trim(position: number, keepBytes: number): void;
  /** Forgets everything: nothing comes any more, and nobody reads on from here. */
  clear(): void;
}

/** Bytes that stay as they are until they are given back. */
export interface Lent {
  readonly bytes: Uint8Array;
  giveBack(): void;
  /** Says that somebody may read them for longer: their memory goes to the garbage collector. */
  giveUp(): void;
}

interface Block {
  readonly start: number;
  readonly memory: Buffer;
  length: number;
  lent: number;
  isForgotten: boolean;
  isGivenUp: boolean;
}

export const BLOCK_BYTES = 256 * 1024;
/** Many slow readers, each behind another block, must not hold that much memory each: beyond this they get copies. */
const CROWDED_BYTES = 16 * 1024 * 1024;
const COPIED_BYTES = 64 * 1024;

/**
 * Makes an empty one.
 * @param pool for blocks of BLOCK_BYTES, and for copies in a crowd
 * @param size how many bytes will come at most, when that is known
 */
export function createRecentBytes(pool: BufferPool, size: () => number | undefined): RecentBytes {
  const blocks: Block[] = [];
  let end = 0;

  const start = () => blocks[0]?.start ?? end;
  const indexOf = (position: number) => blocks.findLastIndex((block) => block.start <= position);

  /** The last block, or a new one when that is full. A blob that is smaller than a block gets one of its own size. */
  function openBlock(): Block {
    const last = blocks.at(-1);
    if (last !== undefined && last.length < last.memory.length) return last;
    const missing = (size() ?? Number.POSITIVE_INFINITY) - end;
    const memory = missing < BLOCK_BYTES && missing > 0 ? Buffer.allocUnsafeSlow(missing) : pool.take(BLOCK_BYTES);
    const block = { start: end, memory, length: 0, lent: 0, isForgotten: false, isGivenUp: false };
    blocks.push(block);
    return block;
  }

  function free({ memory, lent, isForgotten, isGivenUp }: Block): void {
    if (!isForgotten || lent > 0 || memory.length < BLOCK_BYTES) return;
    if (isGivenUp) pool.giveUp(memory);
    else pool.give(memory);
  }

  function lend(block: Block, bytes: Uint8Array): Lent {
    if (pool.lent > CROWDED_BYTES) {
      const copy = pool.take(COPIED_BYTES);
      const length = Math.min(bytes.length, COPIED_BYTES);
      copy.set(bytes.subarray(0, length));
      return { bytes: copy.subarray(0, length), giveBack: () => pool.give(copy), giveUp: () => pool.giveUp(copy) };
    }
    block.lent += 1;
    return {
      bytes,
      giveBack() {
        block.lent -= 1;
        free(block);
      },
      giveUp() {
        block.isGivenUp = true;
        block.lent -= 1;
        free(block);
      },
    };
  }

  function forget(count: number): void {
    for (const block of blocks.splice(0, count)) {
      block.isForgotten = true;
      free(block);
    }
  }

  return {
    get start() {
      return start();
    },
    get end() {
      return end;
    },
    push(chunk) {
      for (let copied = 0; copied < chunk.length; ) {
        const block = openBlock();
        const piece = chunk.subarray(copied, copied + block.memory.length - block.length);
        // Typed arrays' own `set` moves bytes one by one into shared memory that begins at another alignment.
        piece.copy(block.memory, block.length);
        block.length += piece.length;
        copied += piece.length;
        end += piece.length;
      }
    },
    at(position, limit) {
      if (position < start() || position >= Math.min(end, limit)) return undefined;
      const block = blocks[indexOf(position)];
      if (block === undefined) return undefined;
      const behind = Math.min(limit - block.start, block.length);
      return lend(block, block.memory.subarray(position - block.start, behind));
    },
    from(position, most = Number.POSITIVE_INFINITY) {
      const limit = Math.min(position + most, end);
      if (position >= limit) return [];
      return blocks
        .slice(Math.max(0, indexOf(position)), indexOf(limit - 1) + 1)
        .map(({ start: at, memory, length }) =>
          memory.subarray(Math.max(0, position - at), Math.min(length, limit - at)),
        );
    },
    trim(position, keepBytes) {
      let dropped = 0;
      for (const { start: at, length } of blocks) {
        if (at + length > position || end - at <= keepBytes) break;
        dropped += 1;
      }
      forget(dropped);
    },
    clear: () => forget(blocks.length),
  };
}

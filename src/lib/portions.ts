import type { Readable } from 'node:stream';

/** A part of a body. */
export interface Portion {
  readonly bytes: Uint8Array;
  /** Nothing follows. */
  readonly isLast: boolean;
}

/** Cuts a body into parts whose size is only known when each is needed. */
export interface Portions {
  /** The next `size` bytes, or what is left of them. Rejects when the body is cut off. */
  take(size: number): Promise<Portion>;
  /** Puts bytes back in front. */
  putBack(bytes: Uint8Array): void;
  /** Lets the rest flow away unread. */
  discard(): void;
}

/**
 * Reads a body in parts. It holds no more than the part that is asked for and the stream's own next piece.
 * @param start what was read of the body before
 * @param observe sees every further piece once
 */
export function portionsOf(
  stream: Readable,
  start: readonly Uint8Array[] = [],
  observe: (piece: Uint8Array) => void = () => undefined,
): Portions {
  const pieces = stream.iterator({ destroyOnReturn: false });
  let ready: Uint8Array[] = [...start];
  let ended = false;

  async function more(): Promise<void> {
    const { done, value } = await pieces.next();
    if (done === true) {
      ended = true;
      return;
    }
    observe(value as Uint8Array);
    ready.push(value as Uint8Array);
  }
  return {
    async take(size) {
      const taken: Uint8Array[] = [];
      let missing = size;
      while (missing > 0) {
        const piece = ready.shift();
        if (piece === undefined) {
          if (ended) break;
          await more();
          continue;
        }
        taken.push(piece.subarray(0, missing));
        if (piece.byteLength > missing) ready.unshift(piece.subarray(missing));
        missing -= Math.min(missing, piece.byteLength);
      }
      // Whether something follows is known only when it is there.
      while (!ended && ready.every((piece) => piece.byteLength === 0)) await more();
      return { bytes: Buffer.concat(taken), isLast: ended && ready.every((piece) => piece.byteLength === 0) };
    },
    putBack(bytes) {
      if (bytes.byteLength > 0) ready = [bytes, ...ready];
    },
    discard() {
      ready = [];
      // The stream flows only when nobody iterates over it any more.
      void pieces.return?.().then(
        () => stream.resume(),
        () => undefined,
      );
    },
  };
}

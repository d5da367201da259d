/** The start of a body, kept in case that it has to be sent again. */
export interface KeptStart {
  /** Adds the next piece. What is too long is given up. */
  add(piece: Uint8Array): void;
  /** Everything that was added, or undefined when it was too long. The copy is given up. */
  take(): readonly Uint8Array[] | undefined;
}

/**
 * Keeps the starts of bodies: of each at most `each` bytes, and of all at the same time at most `total`. Pieces are kept as
 * they are and not copied.
 */
export function createStartKeeper(each: number, total: number): () => KeptStart {
  let used = 0;
  return () => {
    let pieces: Uint8Array[] | undefined = [];
    let size = 0;
    const giveUp = (): void => {
      used -= size;
      size = 0;
      pieces = undefined;
    };
    return {
      add(piece) {
        if (pieces === undefined) return;
        if (size + piece.byteLength > each || used + piece.byteLength > total) {
          giveUp();
          return;
        }
        used += piece.byteLength;
        size += piece.byteLength;
        pieces.push(piece);
      },
      take() {
        const kept = pieces;
        giveUp();
        return kept;
      },
    };
  };
}

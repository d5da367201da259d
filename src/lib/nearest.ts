/**
 * Finds the candidate that a mistyped word most likely meant, or undefined when none is similar.
 * Upper and lower case, `-` and `_` make no difference; swapped neighbours count as one slip.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const plain = simplify(word);
  const ranked = candidates
    .map((candidate) => ({ candidate, plain: simplify(candidate) }))
    .map((entry) => ({ ...entry, slips: countSlips(plain, entry.plain) }))
    .filter((entry) => entry.slips <= Math.max(1, Math.floor(Math.max(plain.length, entry.plain.length) / 3)))
    .sort((one, other) => one.slips - other.slips);
  return ranked[0]?.candidate;
}

/** The end of an error sentence: `; did you mean "url"?`, or nothing when no candidate is similar. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const meant = nearest(word, candidates);
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}

function simplify(word: string): string {
  // A word of any length may come in; longer ones than this are no slip of the finger.
  return word.slice(0, 100).toLowerCase().replaceAll(/[-_]/g, '');
}

/** The optimal string alignment distance: insertions, deletions, replacements, swaps of neighbours. */
function countSlips(one: string, other: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const replaced = at(previous, column - 1) + (one[row - 1] === other[column - 1] ? 0 : 1);
      const swapped =
        row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
          ? at(before, column - 2) + 1
          : Number.POSITIVE_INFINITY;
      current.push(Math.min(at(previous, column) + 1, at(current, column - 1) + 1, replaced, swapped));
    }
    before = previous;
    previous = current;
  }
  return at(previous, other.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}

/** What happened since the start, for metrics. */
export interface Counters {
  /** Files that were not what they should be, and were removed. */
  damaged: number;
  evicted: number;
  /** Downloads begun. */
  fills: number;
  /** Downloads that went on after a cut. */
  resumed: number;
  /** Downloads whose length or digest was wrong. */
  mismatched: number;
}

export function createCounters(): Counters {
  return { damaged: 0, evicted: 0, fills: 0, resumed: 0, mismatched: 0 };
}

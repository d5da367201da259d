/** What happened since the start, for metrics. */
export interface Counters {
  /** Files that were not what they should be, and were taken out of the cache. */
  damaged: number;
  evicted: number;
  /** Downloads begun. */
  fills: number;
  /** Downloads that went on after a cut. */
  resumed: number;
  /** Downloads whose length or digest was wrong. */
  mismatched: number;
  /** Bytes that the scrubber hashed. */
  scrubbed: number;
}

export function createCounters(): Counters {
  return { damaged: 0, evicted: 0, fills: 0, resumed: 0, mismatched: 0, scrubbed: 0 };
}

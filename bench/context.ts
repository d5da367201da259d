/** What a row may use while it measures. */
export interface Context {
  /** Ends and removes what the row starts, also when the run is interrupted. */
  readonly stage: AsyncDisposableStack;
  /** How often each figure is taken. */
  readonly runs: number;
  /** How long one run of a load lasts. */
  readonly seconds: number;
  /** Trades precision for time. */
  readonly isQuick: boolean;
  /** Whether to measure also what takes minutes to prepare. */
  readonly isLarge: boolean;
  progress(text: string): void;
}

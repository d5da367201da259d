/** Notices a registry that lets questions wait. */
export interface Silence {
  /** A question went out; the function ends it, `answered` or not. */
  asked(): (answered: boolean) => void;
  /** For how long questions have been waiting without any of them being answered, in milliseconds; 0 when none waits. */
  readonly length: number;
}

/** @param now milliseconds of a clock that nobody sets */
export function createSilence(now: () => number): Silence {
  let waiting = 0;
  let since = 0;
  return {
    asked() {
      if (waiting === 0) since = now();
      waiting += 1;
      return (answered) => {
        waiting -= 1;
        if (answered) since = now();
      };
    },
    get length() {
      return waiting === 0 ? 0 : now() - since;
    },
  };
}

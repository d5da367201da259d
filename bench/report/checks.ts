import type { Check } from './result.ts';

interface Bound {
  /** What is compared, such as `of nginx`. */
  readonly subject: string;
  readonly actual: number;
  readonly bound: number;
  /** Stands behind the number, such as `x` or ` ms`. */
  readonly unit: string;
  readonly digits?: number;
}

export function atLeast({ subject, actual, bound, unit, digits = 2 }: Bound): Check {
  return {
    target: `>= ${bound}${unit} ${subject}`,
    measured: `${actual.toFixed(digits)}${unit}`,
    isMet: actual >= bound,
  };
}

export function atMost({ subject, actual, bound, unit, digits = 2 }: Bound): Check {
  return {
    target: `<= ${bound}${unit} ${subject}`,
    measured: `${actual.toFixed(digits)}${unit}`,
    isMet: actual <= bound,
  };
}

import { putLast } from './put-last.ts';

/** Remembers answers for some milliseconds. */
export interface ShortMemory<Value extends object> {
  get(question: string): Value | undefined;
  /** `milliseconds` of 0 remember nothing. */
  put(question: string, value: Value, milliseconds: number): void;
  clear(): void;
}

/**
 * Keeps at most `max` answers; the oldest go first.
 * @param now milliseconds of a clock that nobody sets
 */
export function createShortMemory<Value extends object>(
  max: number,
  now: () => number = () => performance.now(),
): ShortMemory<Value> {
  const answers = new Map<string, { readonly value: Value; readonly until: number }>();
  return {
    get(question) {
      const answer = answers.get(question);
      if (answer !== undefined && now() < answer.until) return answer.value;
      answers.delete(question);
      return undefined;
    },
    put(question, value, milliseconds) {
      if (milliseconds <= 0) answers.delete(question);
      else putLast(answers, question, { value, until: now() + milliseconds }, max);
    },
    clear: () => answers.clear(),
  };
}

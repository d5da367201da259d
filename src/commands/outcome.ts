/** What a command says: `text` on standard output, `complaint` on standard error. */
export interface CommandOutcome {
  readonly exitCode: 0 | 1 | 2;
  readonly text?: string;
  readonly complaint?: string;
}

/** Why something could not be done, in one plain sentence; `isUsage` when the question was wrong, or the place. */
export interface Problem {
  readonly problem: string;
  readonly isUsage: boolean;
}

export function complain({ problem, isUsage }: Problem): CommandOutcome {
  return { exitCode: isUsage ? 2 : 1, complaint: `manifix: ${problem}` };
}

/** A configuration that cannot be used. */
export function badConfiguration(mistakes: readonly string[]): CommandOutcome {
  return { exitCode: 2, complaint: mistakes.join('\n') };
}

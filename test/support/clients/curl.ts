import { type CommandResult, run } from '../process.ts';

/** Runs curl quietly, but with its error messages, and without the configuration of the machine's user. */
export function curl(...args: string[]): Promise<CommandResult> {
  return run('curl', ['-q', '-sS', '--noproxy', '*', ...args]);
}

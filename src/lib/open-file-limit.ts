import { readFileSync } from 'node:fs';

/** What systems give a process at least, and what is assumed where nobody tells. */
const USUAL_LIMIT = 1024;

/** How many files and sockets this process may have open at once; Node has raised the soft limit to the hard one by then. */
export function openFileLimit(): number {
  try {
    return parseLimit(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return USUAL_LIMIT;
  }
}

/** Reads the soft limit from the text of proc_pid_limits(5). */
export function parseLimit(text: string): number {
  const soft = /^Max open files\s+(\S+)/m.exec(text)?.[1];
  if (soft === 'unlimited') return Number.POSITIVE_INFINITY;
  return Number(soft) > 0 ? Number(soft) : USUAL_LIMIT;
}

import { readFileSync, statSync } from 'node:fs';
import { describeSystemError } from '../lib/system-error.ts';

const OTHERS_MAY_READ = 0o004;

/** Reads a file that holds a secret, unless everybody could. */
export function readSecretFile(path: string): { readonly text: string } | { readonly wrong: string } {
  try {
    const exposed = exposureOf(path);
    return exposed === undefined ? { text: readFileSync(path, 'utf8') } : { wrong: exposed };
  } catch (error) {
    return { wrong: `${path}: ${describeSystemError(error)}` };
  }
}

/** What to do about a file that everybody can read; undefined where not everybody can. */
export function exposureOf(path: string): string | undefined {
  const { mode = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {};
  const isExposed = (mode & OTHERS_MAY_READ) !== 0;
  return isExposed ? `${path} can be read by everybody on this machine; run: chmod o-rwx ${path}` : undefined;
}

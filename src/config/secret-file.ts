import { readFileSync, statSync } from 'node:fs';
import { describeSystemError } from '../lib/system-error.ts';

const OTHERS_MAY_READ = 0o004;

/** Reads a file that holds a secret, unless everybody could. */
export function readSecretFile(path: string): { readonly text: string } | { readonly wrong: string } {
  try {
    if ((statSync(path).mode & OTHERS_MAY_READ) !== 0) {
      return { wrong: `${path} can be read by everybody on this machine; run: chmod o-rwx ${path}` };
    }
    return { text: readFileSync(path, 'utf8') };
  } catch (error) {
    return { wrong: `${path}: ${describeSystemError(error)}` };
  }
}

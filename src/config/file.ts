import { readFileSync } from 'node:fs';
import { describeSystemError } from '../lib/system-error.ts';
import { isMap, type WrittenMap } from './written.ts';
import { readYaml } from './yaml.ts';

/** The file of the working directory that is read when no other is named. */
export const DEFAULT_FILE = 'config.yaml';

/** What a file says, or why it cannot be read: one line per mistake, each with the file's name. */
export type FileContent =
  | { readonly written: WrittenMap; readonly absent?: true }
  | { readonly mistakes: readonly string[] };

/** Reads a configuration file. The default file may be missing; a file that was asked for may not. */
export function readConfigFile(named: string | undefined): FileContent {
  const file = named ?? DEFAULT_FILE;
  try {
    return readContent(file, new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file)));
  } catch (error) {
    if (error instanceof TypeError) return { mistakes: [`${file}: is not UTF-8 text`] };
    if (named === undefined && error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return { written: {}, absent: true };
    }
    return { mistakes: [`${file}: ${describeSystemError(error)}`] };
  }
}

function readContent(file: string, text: string): FileContent {
  const outcome = readYaml(text);
  if ('mistakes' in outcome) {
    return { mistakes: outcome.mistakes.map(({ position, message }) => `${file}${position}: ${message}`) };
  }
  const written = outcome.written ?? {};
  return isMap(written) ? { written } : { mistakes: [`${file}: expected a map of keys, such as "upstreams: ..."`] };
}

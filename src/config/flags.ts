import { parseHostPort } from '../lib/address.ts';
import type { ConfigFlags } from './load.ts';

/** Values by flag; a switch has none. */
export type FlagValues = ReadonlyMap<string, string>;

/** Where a command works: a configuration, an admin listener, a directory, as far as they are named. */
export type Place = Pick<ConfigFlags, 'config' | 'admin' | 'cacheDir'>;

/** Reads the flags that say where a command works, or says what is wrong with them. */
export function readPlace(flags: FlagValues): Place | { readonly mistake: string } {
  const [config, admin, cacheDir] = [flags.get('config'), flags.get('admin'), flags.get('cache-dir')];
  const mistake = addressMistake(flags, 'admin');
  if (mistake !== undefined) return { mistake };
  return {
    ...(config === undefined ? {} : { config }),
    ...(admin === undefined ? {} : { admin }),
    ...(cacheDir === undefined ? {} : { cacheDir }),
  };
}

/** What is wrong with the address that a flag names; undefined when it names none, or a good one. */
export function addressMistake(flags: FlagValues, name: 'admin' | 'listen'): string | undefined {
  const address = flags.get(name);
  const isGood = address === undefined || parseHostPort(address) !== undefined;
  return isGood ? undefined : `--${name}: expected HOST:PORT, got "${address}"`;
}

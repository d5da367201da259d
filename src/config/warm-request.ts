import { isPlatform } from '../domain/platform.ts';
import { parseHostPort } from '../lib/address.ts';
import type { FlagValues } from './cache-request.ts';
import type { ConfigFlags } from './load.ts';

/** What is to be pulled into the cache of a running manifix. */
export interface WarmRequest {
  readonly place: Pick<ConfigFlags, 'config'>;
  /** Where its clients connect, when the configuration does not say it. */
  readonly listen: string | undefined;
  /** None: the list of the configuration. */
  readonly references: readonly string[];
  readonly platforms: readonly string[];
  readonly json: boolean;
}

/** Reads the arguments of `warm`, or says what is wrong with them. */
export function readWarmRequest(
  flags: FlagValues,
  references: readonly string[],
): { readonly request: WarmRequest } | { readonly mistake: string } {
  const config = flags.get('config');
  const listen = flags.get('listen');
  if (listen !== undefined && parseHostPort(listen) === undefined) {
    return { mistake: `--listen: expected HOST:PORT, got "${listen}"` };
  }
  const platforms = flags.get('platform')?.split(',') ?? [];
  const wrong = platforms.find((platform) => !isPlatform(platform));
  if (wrong !== undefined) return { mistake: `--platform: expected a platform such as linux/arm64, got "${wrong}"` };
  const place = config === undefined ? {} : { config };
  return { request: { place, listen, references, platforms, json: flags.has('json') } };
}

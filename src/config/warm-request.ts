import { isPlatform } from '../domain/platform.ts';
import { addressMistake, type FlagValues, type Place, readPlace } from './flags.ts';

/** What is to be pulled into the cache of a running manifix. */
export interface WarmRequest {
  readonly place: Pick<Place, 'config'>;
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
  const place = readPlace(flags);
  if ('mistake' in place) return place;
  const listen = flags.get('listen');
  const mistake = addressMistake(flags, 'listen');
  if (mistake !== undefined) return { mistake };
  const platforms = flags.get('platform')?.split(',') ?? [];
  const wrong = platforms.find((platform) => !isPlatform(platform));
  if (wrong !== undefined) return { mistake: `--platform: expected a platform such as linux/arm64, got "${wrong}"` };
  return { request: { place, listen, references, platforms, json: flags.has('json') } };
}

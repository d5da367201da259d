import { type PurgeSelection, parsePurgeSelection } from '../domain/purge.ts';
import { parseDuration } from '../lib/units.ts';
import { type FlagValues, type Place, readPlace } from './flags.ts';

/** What is to be done with a cache directory, by whom it is named and how the outcome is told. */
export interface CacheRequest {
  readonly place: Pick<Place, 'config' | 'cacheDir'>;
  readonly json: boolean;
  readonly work:
    | { readonly action: 'stats' }
    | { readonly action: 'verify' }
    | { readonly action: 'purge'; readonly selection: PurgeSelection; readonly dryRun: boolean };
}

/** Reads the flags of a cache command, or says what is wrong with them. */
export function readCacheRequest(
  action: CacheRequest['work']['action'],
  flags: FlagValues,
): { readonly request: CacheRequest } | { readonly mistake: string } {
  const place = readPlace(flags);
  if ('mistake' in place) return place;
  const json = flags.has('json');
  if (action !== 'purge') return { request: { place, json, work: { action } } };
  const age = flags.get('older-than');
  const olderThan = age === undefined ? undefined : parseDuration(age);
  if (age !== undefined && olderThan === undefined) {
    return { mistake: `--older-than: expected a time such as 12h or 30d, got "${age}"` };
  }
  const outcome = parsePurgeSelection({
    digest: flags.get('digest'),
    repository: flags.get('repository'),
    olderThan,
    all: flags.has('all'),
  });
  if ('wrong' in outcome) return { mistake: outcome.wrong };
  return { request: { place, json, work: { action, selection: outcome.selection, dryRun: flags.has('dry-run') } } };
}

import { isUsageBreakdown, USAGE_BREAKDOWNS, type UsageBreakdown, type UsageQuestion } from '../domain/usage.ts';
import { didYouMean } from '../lib/nearest.ts';
import { parseSince, SINCE_FORM } from '../lib/since.ts';
import { type FlagValues, type Place, readPlace } from './flags.ts';

/** What shall be told of what was used, from where, and in which form. */
export interface UsageRequest {
  /** The running manifix of a configuration or of an admin listener, or a directory without one. */
  readonly place: Place;
  readonly question: UsageQuestion;
  readonly form: 'table' | 'json' | 'csv';
}

const DEFAULT_SINCE = '7d';
const DEFAULT_BREAKDOWN: UsageBreakdown = 'day';

/** Reads the flags of `manifix usage`, or says what is wrong with them. */
export function readUsageRequest(
  flags: FlagValues,
  now: number,
): { readonly request: UsageRequest } | { readonly mistake: string } {
  const place = readPlace(flags);
  if ('mistake' in place) return place;
  if (place.admin !== undefined && place.cacheDir !== undefined)
    return { mistake: 'name a running manifix with --admin, or a directory with --cache-dir' };
  const written = flags.get('since') ?? DEFAULT_SINCE;
  const since = parseSince(written, now);
  if (since === undefined) return { mistake: `--since: expected ${SINCE_FORM}, got "${written}"` };
  const by = flags.get('by') ?? DEFAULT_BREAKDOWN;
  if (!isUsageBreakdown(by)) {
    const mistake = `--by: expected ${USAGE_BREAKDOWNS.join(', ')}, got "${by}"${didYouMean(by, USAGE_BREAKDOWNS)}`;
    return { mistake };
  }
  if (flags.has('json') && flags.has('csv')) return { mistake: 'choose one of --json and --csv' };
  const form = flags.has('json') ? 'json' : flags.has('csv') ? 'csv' : 'table';
  return { request: { place, question: { since, endpoint: flags.get('endpoint'), by }, form } };
}

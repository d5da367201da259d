import { type AccessTokenWish, parseTokenWish } from '../domain/access-token.ts';
import { parseDuration } from '../lib/units.ts';
import { type FlagValues, type Place, readPlace } from './flags.ts';

/** What is to be done with tokens, of which manifix, and how the outcome is told. */
export interface TokenRequest {
  /** A running manifix by its admin listener, a directory, or both by a configuration. */
  readonly place: Place;
  readonly json: boolean;
  readonly work:
    | { readonly action: 'new'; readonly wish: AccessTokenWish; readonly written: Readonly<Record<string, unknown>> }
    | { readonly action: 'list' }
    | { readonly action: 'revoke'; readonly id: string };
}

/** Reads the flags of a token command, or says what is wrong with them. */
export function readTokenRequest(
  action: TokenRequest['work']['action'],
  flags: FlagValues,
  [id = '']: readonly string[],
): { readonly request: TokenRequest } | { readonly mistake: string } {
  const place = readPlace(flags);
  if ('mistake' in place) return place;
  if (place.admin !== undefined && place.cacheDir !== undefined)
    return { mistake: 'give either --admin or --cache-dir' };
  const common = { place, json: flags.has('json') };
  if (action === 'list') return { request: { ...common, work: { action } } };
  if (action === 'revoke') return { request: { ...common, work: { action, id } } };
  const [user, endpoints, note, expires] = ['user', 'endpoint', 'note', 'expires'].map((name) => flags.get(name));
  if (user === undefined) return { mistake: '--user NAME is missing: whose token shall it be?' };
  const written = {
    user,
    ...(endpoints && { endpoints: endpoints.split(',') }),
    ...(note && { note }),
    ...(expires && { expires }),
  };
  const wish = parseTokenWish(written, parseDuration);
  if ('wrong' in wish) return { mistake: `--${wish.wrong.replace(/^endpoints:/, 'endpoint:')}` };
  return { request: { ...common, work: { action, wish, written } } };
}

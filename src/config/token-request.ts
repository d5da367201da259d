import { type AccessTokenWish, parseTokenWish } from '../domain/access-token.ts';
import { parseHostPort } from '../lib/address.ts';
import { parseDuration } from '../lib/units.ts';
import type { FlagValues } from './cache-request.ts';
import type { ConfigFlags } from './load.ts';

/** What is to be done with tokens, of which manifix, and how the outcome is told. */
export interface TokenRequest {
  /** A running manifix by its admin listener, a directory, or both by a configuration. */
  readonly place: Pick<ConfigFlags, 'config' | 'cacheDir' | 'admin'>;
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
  const [config, cacheDir, admin] = [flags.get('config'), flags.get('cache-dir'), flags.get('admin')];
  if (admin !== undefined && parseHostPort(admin) === undefined) {
    return { mistake: `--admin: expected HOST:PORT, got "${admin}"` };
  }
  if (admin !== undefined && cacheDir !== undefined) return { mistake: 'give either --admin or --cache-dir' };
  const place = { ...(config && { config }), ...(cacheDir && { cacheDir }), ...(admin && { admin }) };
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

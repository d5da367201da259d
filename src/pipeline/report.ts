import { isRedirectStatus } from '../domain/redirect.ts';
import type { AppliedFix } from '../fixes/run.ts';
import { type Exchange, redirectsOf } from './exchange.ts';

/** Notes what fixes did in this exchange, for the client's header, the log line and the counters. */
export function report(exchange: Exchange, applied: readonly AppliedFix[]): void {
  exchange.applied.push(...applied);
}

/** Notes a repair that is the pipeline's own work: carried out with the fix `on`, left undone with `observe`. */
export function reportRepair(exchange: Exchange, id: string, note: string): void {
  const mode = exchange.endpoint.fixes.mode(id);
  if (mode !== 'off') report(exchange, [{ id, mode, note }]);
}

/** Notes a redirect of the registry to itself that was followed. */
export function reportOwnRedirect(exchange: Exchange): void {
  reportRepair(exchange, 'unreachable-redirect-or-location', 'followed a redirect within the registry');
}

/** Notes that the registry's limits were waited for, or would have been. */
export function reportWait(
  exchange: Exchange,
  { status, waited = 0 }: { readonly status: number; readonly waited?: number },
): void {
  const left = status === 429 && exchange.endpoint.fixes.mode('rate-limit-429') === 'observe';
  if (waited > 0 || left) reportRepair(exchange, 'rate-limit-429', 'waited as the registry asked with 429');
}

/** Notes a redirect that was followed to its end, or would have been. */
export function reportRedirect(
  exchange: Exchange,
  { status, redirected, probed }: { status: number; redirected: boolean; probed?: boolean },
): void {
  if (probed === true) reportRepair(exchange, 'head-presigned-403', 'asked the storage by GET, which refused HEAD');
  if (!redirected && !isRedirectStatus(status)) return;
  if (redirected && redirectsOf(exchange.endpoint) === 'own') reportOwnRedirect(exchange);
  else reportRepair(exchange, 'redirect-auth-leak-400', 'followed a redirect, without credentials on other origins');
}

import type { AppliedFix } from '../fixes/run.ts';
import type { Exchange } from './exchange.ts';

/** Notes what fixes did in this exchange, for the client's header, the log line and the counters. */
export function report(exchange: Exchange, applied: readonly AppliedFix[]): void {
  exchange.applied.push(...applied);
}

/** Notes a repair that is the pipeline's own work: carried out with the fix `on`, left undone with `observe`. */
export function reportRepair(exchange: Exchange, id: string, note: string): void {
  const mode = exchange.endpoint.fixes.mode(id);
  if (mode !== 'off') report(exchange, [{ id, mode, note }]);
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Notes a redirect that was followed to its end, or would have been. */
export function reportRedirect(
  exchange: Exchange,
  { status, redirected }: { status: number; redirected: boolean },
): void {
  if (!redirected && !REDIRECTS.has(status)) return;
  reportRepair(exchange, 'redirect-auth-leak-400', 'followed a redirect, without credentials on other origins');
}

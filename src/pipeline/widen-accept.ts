import { acceptedTypes, formatAccept, viewOf } from '../domain/accept.ts';
import { withHeader } from '../domain/headers.ts';
import { MANIFEST_TYPES } from '../domain/media-type.ts';
import { isRefusedForAccept } from '../fixes/accept-named-type-404-retry.ts';
import type { RequestView } from '../fixes/fix.ts';
import type { Exchange } from './exchange.ts';
import type { Refusal, Services } from './ports.ts';
import { reportRepair } from './report.ts';

const FIX = 'accept-named-type-404-retry';

/** Whether a refusal may be due to the types that the client named: some that manifests have, and not all. */
export function mayBeDueToAccept({ endpoint }: Exchange, sent: RequestView, { status }: Refusal): boolean {
  if ((status !== 404 && status !== 406) || endpoint.fixes.mode(FIX) === 'off') return false;
  const view = viewOf(acceptedTypes(sent.headers));
  return view !== 'all' && view !== 'none';
}

/** The request with every manifest type in its Accept, once the registry said that it hides what the client did not name. */
export function widened(
  services: Services,
  exchange: Exchange,
  sent: RequestView,
  refusal: Refusal,
): RequestView | undefined {
  if (!mayBeDueToAccept(exchange, sent, refusal)) return undefined;
  const { fixes, upstream } = exchange.endpoint;
  const known = services.defects.proven(upstream.name, FIX) !== undefined;
  // A HEAD has no words: 406 says it all, and 404 means it at a registry that hides.
  const silent = refusal.text === '' && (refusal.status === 406 || known);
  if (!silent && !isRefusedForAccept(refusal.status, refusal.text)) return undefined;
  if (!silent) services.defects.prove(upstream.name, FIX);
  reportRepair(exchange, FIX, `asked again for all types after ${refusal.status}`);
  if (fixes.mode(FIX) !== 'on') return undefined;
  const named = acceptedTypes(sent.headers);
  const all = formatAccept([...new Set([...named, ...MANIFEST_TYPES])]);
  return { ...sent, headers: withHeader(sent.headers, 'Accept', all) };
}

import { parseErrors, RegistryError } from '../domain/errors.ts';
import { headerValue } from '../domain/headers.ts';
import { type ListDocument, listItems } from '../domain/list.ts';
import { parseMediaType } from '../domain/media-type.ts';
import { queryText } from '../domain/query.ts';
import { distinctReferrers, ofArtifactType } from '../domain/referrers.ts';
import type { RequestView } from '../fixes/fix.ts';
import type { Exchange } from './exchange.ts';
import { type Fetched, type FetchedList, fetchList, type ListRoute } from './fetch-list.ts';
import { thoseThere, underFallbackTag } from './list-referrers.ts';
import type { Refusal, Services } from './ports.ts';
import { reportRepair } from './report.ts';

type ReferrersRoute = Extract<ListRoute, { kind: 'referrers' }>;

const FIX = 'referrers-misbehaviour';
/** For how long a registry is not asked again that has no referrers API, in milliseconds. */
const WITHOUT_API_FOR = 10 * 60_000;

/**
 * Asks the registry for a list of referrers, unless it is known to have no such lists, and adds what only the fallback tag lists:
 * clients keep that tag as long as a registry has no API, and registries that learn it later do not read it.
 */
export async function fetchReferrers(
  services: Services,
  exchange: Exchange,
  route: ReferrersRoute,
  sent: RequestView,
): Promise<Fetched> {
  const { withoutReferrers } = services;
  const { name } = exchange.endpoint.upstream;
  const known = withoutReferrers.get(name);
  if (known !== undefined) return { kind: 'refused', refusal: known };
  const fetched = await fetchList(exchange, route, sent);
  if (fetched.kind === 'refused' && hasNoRoute(fetched.refusal)) {
    withoutReferrers.put(name, fetched.refusal, WITHOUT_API_FOR);
  }
  return fetched.kind === 'list' ? withTagged(services, exchange, route, sent, fetched) : fetched;
}

/** A server's word for a path that it does not know, which says the same about every repository. A registry has errors of its own. */
function hasNoRoute({ status, headers, text }: Refusal): boolean {
  const isText = parseMediaType(headerValue(headers, 'Content-Type')) === 'text/plain';
  return status === 404 && isText && parseErrors(Buffer.from(text)) === undefined;
}

/** The list with the referrers that are there and only the fallback tag lists. Without an answer about those it stays as it is. */
async function withTagged(
  services: Services,
  exchange: Exchange,
  { repository, digest }: ReferrersRoute,
  sent: RequestView,
  fetched: FetchedList,
): Promise<FetchedList> {
  const { document, headers } = fetched;
  const items = document && itemsOf(document);
  const { fixes } = exchange.endpoint;
  // A page says nothing about what is on the others.
  if (items === undefined || headerValue(headers, 'Link') !== undefined || queryText(sent.query, 'last') !== undefined)
    return fetched;
  if (fixes.mode(FIX) === 'off' || fixes.option(FIX, 'fallbackTag') === 'leave') return fetched;
  const tagged = await answered(underFallbackTag(exchange, repository, digest));
  const listed = new Set(items.map(digestIn));
  const missing = distinctReferrers(
    ofArtifactType(tagged, queryText(sent.query, 'artifactType') || undefined).filter(
      (referrer) => !listed.has(referrer.digest),
    ),
  );
  const added = missing.length === 0 ? [] : await answered(thoseThere(services, exchange, repository, missing));
  if (added.length === 0) return fetched;
  reportRepair(exchange, FIX, 'added referrers that only the fallback tag lists');
  if (fixes.mode(FIX) !== 'on') return fetched;
  const merged = { ...document, manifests: [...items, ...added] };
  return { ...fetched, document: merged, bytes: Buffer.from(JSON.stringify(merged)) };
}

function itemsOf(document: ListDocument): readonly unknown[] | undefined {
  return document.manifests === null ? [] : listItems('referrers', document);
}

function digestIn(item: unknown): unknown {
  return typeof item === 'object' && item !== null && 'digest' in item ? item.digest : undefined;
}

/** The registry's list is right without what cannot be learnt. */
async function answered<Item>(listing: Promise<readonly Item[] | Refusal>): Promise<readonly Item[]> {
  const found = await listing.catch((error: unknown) => {
    if (error instanceof RegistryError) return [];
    throw error;
  });
  return 'status' in found ? [] : found;
}

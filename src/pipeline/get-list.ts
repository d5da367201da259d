import { parseErrors } from '../domain/errors.ts';
import { type HeaderList, withoutHeaders } from '../domain/headers.ts';
import type { ListDocument } from '../domain/list.ts';
import type { Route } from '../domain/route.ts';
import type { RequestView } from '../fixes/fix.ts';
import { pageOf, withPage } from '../fixes/page-query.ts';
import type { Answer, Exchange } from './exchange.ts';
import { ABOUT_BYTES, type Fetched, fetchList, type ListRoute } from './fetch-list.ts';
import { fetchReferrers } from './fetch-referrers.ts';
import { withFollowingPages } from './list-pages.ts';
import { listReferrers } from './list-referrers.ts';
import type { Services } from './ports.ts';
import { relay, relayBytes, relayRefusal } from './relay.ts';
import { report, reportRepair } from './report.ts';
import { visibleCatalogue } from './visible-catalogue.ts';

/** How often a list is asked for in one exchange, because a fix may want it asked for otherwise. */
const MAX_QUESTIONS = 3;

/** Whether a route is that of a list. */
export function isListRoute(route: Route): route is ListRoute {
  return route.kind === 'tags' || route.kind === 'catalog' || route.kind === 'referrers';
}

/**
 * GET and HEAD of a list: tags, the catalogue or referrers. It is read whole, so that fixes may change it, or may have it
 * asked for in another way. HEAD takes the same way as GET and ends without the body.
 */
export async function getList(services: Services, exchange: Exchange, route: ListRoute): Promise<Answer> {
  const outcome = exchange.endpoint.fixes.request(exchange.request);
  report(exchange, outcome.applied);
  if (outcome.refuse !== undefined) throw outcome.refuse;
  let sent = withinLimit(services, exchange, outcome.view);
  for (let questions = 1; ; questions += 1) {
    const fetched = await fetchWhole(services, exchange, route, sent);
    if (fetched.kind === 'stream') return relay(services, exchange, sent, fetched.response);
    if (fetched.kind === 'refused' && route.kind === 'referrers') {
      const kept = await listReferrers(services, exchange, route, sent, fetched.refusal.status);
      if (kept !== undefined) return kept;
    }
    const view = { kind: route.kind, request: exchange.request, sent, ...seen(fetched) };
    const { applied, again, refuse, ...repaired } = exchange.endpoint.fixes.list(view);
    report(exchange, applied);
    if (refuse !== undefined) throw refuse;
    if (again === undefined || questions === MAX_QUESTIONS) {
      return answerList(services, exchange, sent, fetched, repaired);
    }
    services.defects.prove(exchange.endpoint.upstream.name, again.fix, { limit: again.limit });
    sent = { ...sent, query: again.query };
  }
}

async function fetchWhole(
  services: Services,
  exchange: Exchange,
  route: ListRoute,
  sent: RequestView,
): Promise<Fetched> {
  if (route.kind === 'referrers') return fetchReferrers(services, exchange, route, sent);
  if (route.kind === 'catalog' && exchange.endpoint.guard !== undefined) return visibleCatalogue(exchange, route, sent);
  return withFollowingPages(exchange, route, sent, await fetchList(exchange, route, sent));
}

const PAGE_LIMIT = 'catalog-n-too-large';

/** A page no larger than this registry is known to give. */
function withinLimit(services: Services, exchange: Exchange, sent: RequestView): RequestView {
  const { fixes, upstream } = exchange.endpoint;
  const limit = services.defects.proven(upstream.name, PAGE_LIMIT)?.limit;
  const page = pageOf(sent.query);
  if (limit === undefined || (page.n ?? 0) <= limit || fixes.mode(PAGE_LIMIT) !== 'on') return sent;
  reportRepair(exchange, PAGE_LIMIT, `asked for ${limit} instead of ${page.n}`);
  return { ...sent, query: withPage(sent.query, { ...page, n: limit }) };
}

/** What the fixes see of an answer. */
function seen(fetched: Exclude<Fetched, { kind: 'stream' }>) {
  if (fetched.kind === 'list') {
    const { headers, document } = fetched;
    return { status: 200, headers, ...(document === undefined ? {} : { document }) };
  }
  const { status, headers, text } = fetched.refusal;
  const errors = parseErrors(Buffer.from(text));
  return { status, headers, text, ...(errors === undefined ? {} : { errors }) };
}

function answerList(
  services: Services,
  exchange: Exchange,
  sent: RequestView,
  fetched: Exclude<Fetched, { kind: 'stream' }>,
  { headers, document }: { readonly headers: HeaderList; readonly document?: ListDocument },
): Answer {
  if (fetched.kind === 'refused') {
    const refusal = relayRefusal(services, exchange, sent, { ...fetched.refusal, headers });
    return { ...refusal, cache: 'bypass' };
  }
  if (document === undefined || document === fetched.document) {
    return relayBytes(services, exchange, sent, { status: 200, headers, bytes: fetched.bytes });
  }
  const bytes = Buffer.from(JSON.stringify(document));
  return relayBytes(services, exchange, sent, { status: 200, headers: withoutHeaders(headers, ...ABOUT_BYTES), bytes });
}

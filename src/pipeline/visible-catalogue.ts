import { withHeader, withoutHeaders } from '../domain/headers.ts';
import { listItems } from '../domain/list.ts';
import type { RequestView } from '../fixes/fix.ts';
import { nextPageQuery } from '../fixes/link.ts';
import { pageOf, withPage } from '../fixes/page-query.ts';
import type { Exchange } from './exchange.ts';
import { ABOUT_BYTES, type Fetched, fetchList, type ListRoute } from './fetch-list.ts';

/** What docker-registry gives to whoever names no number. */
const USUAL_PAGE = 100;
/** A registry that names a next page for ever is not followed for ever. */
const MAX_PAGES = 1_000;

/**
 * The page of the catalogue that the client would get if there were nothing but what he may see: as many names as he asked for,
 * with a Link when there are more. What he may not see shows in no gap, no short page and no Link.
 */
export async function visibleCatalogue(exchange: Exchange, route: ListRoute, sent: RequestView): Promise<Fetched> {
  const question = largePage(exchange, sent);
  const first = await fetchList(exchange, route, question);
  if (first.kind !== 'list' || first.document === undefined) return first;
  const { n = USUAL_PAGE } = pageOf(exchange.request.query);
  const visible: string[] = [];
  let page = first;
  for (let pages = 1; ; pages += 1) {
    const names = listItems('catalog', page.document ?? {}) ?? [];
    visible.push(...names.filter((name): name is string => typeof name === 'string' && exchange.shows(name)));
    const query = visible.length > n || pages === MAX_PAGES ? undefined : nextPageQuery(page.headers);
    if (query === undefined) break;
    const next = await fetchList(exchange, route, { ...question, query });
    if (next.kind !== 'list') return next;
    page = next;
  }
  const repositories = visible.slice(0, n);
  const plain = withoutHeaders(first.headers, 'Link', ...ABOUT_BYTES);
  const last = visible.length > n ? repositories.at(-1) : undefined;
  const headers = last === undefined ? plain : withHeader(plain, 'Link', linkTo(n, last));
  const document = { ...first.document, repositories };
  return { kind: 'list', headers, document, bytes: Buffer.from(JSON.stringify(document)) };
}

function linkTo(n: number, last: string): string {
  return `</v2/_catalog?${withPage('', { n, last })}>; rel="next"`;
}

/** The question for a page that is worth selecting from. */
function largePage({ request }: Exchange, sent: RequestView): RequestView {
  const { n: asked } = pageOf(request.query);
  const page = pageOf(sent.query);
  // Another number than the client's is the largest that this registry takes.
  const n = page.n === asked ? Math.max(asked ?? 0, USUAL_PAGE) : page.n;
  return { ...sent, query: withPage(sent.query, { ...page, ...(n === undefined ? {} : { n }) }) };
}

import { headerValue, withHeader, withoutHeaders } from '../domain/headers.ts';
import { LIST_ITEMS, listItems } from '../domain/list.ts';
import type { RequestView } from '../fixes/fix.ts';
import { nextPageQuery } from '../fixes/link.ts';
import { pageOf, withPage } from '../fixes/page-query.ts';
import type { Exchange } from './exchange.ts';
import { ABOUT_BYTES, type Fetched, type FetchedList, fetchList, type ListRoute, MAX_LIST } from './fetch-list.ts';
import { reportRepair } from './report.ts';

/** A registry that names a next page for ever is not followed for ever. */
const MAX_PAGES = 1_000;

/** The fixes by whose option the pages of a list are put together. */
const AGGREGATING = { tags: 'tags-list-shape', catalog: 'catalog-n-too-large' } as const;

/**
 * The list with as many of its following pages as the client asked for, all where it named no number. Only where the operator
 * chose so, for clients that do not follow Link. A page that fails fails the whole, because such clients would take what
 * there is for everything; what goes beyond the limits of memory and patience is left to the Link.
 */
export async function withFollowingPages(
  exchange: Exchange,
  route: ListRoute,
  sent: RequestView,
  first: Fetched,
): Promise<Fetched> {
  if (route.kind === 'referrers' || first.kind !== 'list' || !aggregates(exchange, AGGREGATING[route.kind]))
    return first;
  const pages = [first];
  let missing = (pageOf(exchange.request.query).n ?? Number.POSITIVE_INFINITY) - itemsOf(route, first).length;
  let bytes = first.bytes.length;
  while (pages.length < MAX_PAGES && bytes < MAX_LIST) {
    const query = nextQuery(pages.at(-1) ?? first, missing);
    if (query === undefined) break;
    const page = await fetchList(exchange, route, { ...sent, query });
    if (page.kind === 'refused') return page;
    if (page.kind === 'stream') {
      page.response.body.destroy();
      break;
    }
    pages.push(page);
    missing -= itemsOf(route, page).length;
    bytes += page.bytes.length;
  }
  if (pages.length === 1) return first;
  reportRepair(exchange, AGGREGATING[route.kind], 'put the pages of the list together');
  return joined(route, pages);
}

function aggregates({ endpoint: { fixes } }: Exchange, fix: string): boolean {
  return fixes.mode(fix) === 'on' && fixes.option(fix, 'aggregate') === 'yes';
}

/** The query of the next page, for no more items than are missing. */
function nextQuery({ headers }: FetchedList, missing: number): string | undefined {
  const next = missing > 0 ? nextPageQuery(headers) : undefined;
  if (next === undefined) return undefined;
  const page = pageOf(next);
  return page.n === undefined || page.n <= missing ? next : withPage(next, { ...page, n: missing });
}

function itemsOf(route: ListRoute, { document }: FetchedList): readonly unknown[] {
  return (document === undefined ? undefined : listItems(route.kind, document)) ?? [];
}

/** The pages as one list that goes on where the last one does. */
function joined(route: ListRoute, pages: readonly FetchedList[]): FetchedList {
  const items = pages.flatMap((page) => itemsOf(route, page));
  const document = { ...pages[0]?.document, [LIST_ITEMS[route.kind]]: items };
  const link = headerValue(pages.at(-1)?.headers ?? [], 'Link');
  const plain = withoutHeaders(pages[0]?.headers ?? [], 'Link', ...ABOUT_BYTES);
  const headers = link === undefined ? plain : withHeader(plain, 'Link', link);
  return { kind: 'list', headers, document, bytes: Buffer.from(JSON.stringify(document)) };
}

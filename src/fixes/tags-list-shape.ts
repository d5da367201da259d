import { headerValue, withHeader } from '../domain/headers.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { Fix, ListChange, ListView } from './fix.ts';
import { pageOf, withPage } from './page-query.ts';

/** distribution-spec, "Listing Tags": in lexical order and by pages. docker-registry 2 knows neither. */
export const tagsListShape: Fix = {
  id: 'tags-list-shape',
  title: 'Tags are listed as an array, in order and in the pages that were asked for',
  symptom: 'Tags in no order, all at once whatever `n` says, or `"tags":null`',
  defaultMode: 'on',
  digest: 'unchanged',
  options: {
    aggregate: {
      values: ['no', 'yes'],
      default: 'no',
      description:
        'Whether manifix puts the pages of a list of tags together until there are as many as were asked for, for clients ' +
        'that do not follow `Link`.',
    },
  },
  list: (view) => {
    if (view.kind !== 'tags' || view.document === undefined) return undefined;
    const { tags } = view.document;
    if (tags === null) return { note: 'made an empty list of null', document: { ...view.document, tags: [] } };
    // A list with a Link is a page of the registry's own order, in which a client may go on.
    if (!isTextList(tags) || headerValue(view.headers, 'Link') !== undefined) return undefined;
    return shaped(view, tags);
  },
};

function isTextList(tags: unknown): tags is readonly string[] {
  return Array.isArray(tags) && tags.every((tag) => typeof tag === 'string');
}

function shaped(view: ListView, tags: readonly string[]): ListChange | undefined {
  const { n, last } = pageOf(view.sent.query);
  // Tags are ASCII, of which the order of UTF-16 units is the lexical one.
  const ordered = tags.toSorted();
  // A registry that knows pages gives no more than was asked for, and begins behind `last`, in whatever order it has.
  const ignored = tags.length > (n ?? Number.POSITIVE_INFINITY) || (last !== undefined && tags.includes(last));
  const rest = ignored && last !== undefined ? ordered.filter((tag) => tag > last) : ordered;
  const page = ignored ? rest.slice(0, n) : rest;
  const end = page.at(-1);
  if (page.length === tags.length && page.every((tag, at) => tag === tags[at])) return undefined;
  const document = { ...view.document, tags: page };
  if (n === undefined || end === undefined || page.length === rest.length) {
    return { note: 'put the tags in order', document };
  }
  const next = `${formatRoute(view.sent.route)}?${withPage(view.sent.query, { n, last: end })}`;
  return { note: 'listed one page', document, headers: withHeader(view.headers, 'Link', `<${next}>; rel="next"`) };
}

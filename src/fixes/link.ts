import { type HeaderList, headerValues } from '../domain/headers.ts';

/** One link of a Link header (RFC 8288, section 3). */
export interface Link {
  readonly target: string;
  /** As written, from the first semicolon on. */
  readonly parameters: string;
}

/** One `<target>; parameters`, up to its comma. */
const LINK = /\s*<([^<>]*)>((?:"[^"]*"|[^",])*)(?:,|$)/gy;
const NEXT = /;\s*rel\s*=\s*(?:"next"|next)\s*(?=;|$)/i;

/** The links of one field; undefined when it is not in the form of RFC 8288. */
export function parseLinks(value: string): readonly Link[] | undefined {
  const links = [...value.matchAll(LINK)];
  const length = links.reduce((sum, [whole]) => sum + whole.length, 0);
  if (length !== value.length) return undefined;
  return links.map(([, target = '', parameters = '']) => ({ target, parameters }));
}

/** The query of the next page that a list names; undefined on the last page. */
export function nextPageQuery(headers: HeaderList): string | undefined {
  const links = headerValues(headers, 'Link').flatMap((value) => parseLinks(value) ?? []);
  const target = links.find(({ parameters }) => NEXT.test(parameters))?.target ?? '';
  const mark = target.indexOf('?');
  return mark < 0 ? undefined : target.slice(mark + 1);
}

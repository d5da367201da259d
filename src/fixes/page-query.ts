import { queryText, queryValue } from '../domain/query.ts';

/** Which page of a list is asked for (distribution-spec, "Listing Tags"). */
export interface Page {
  /** How many items at most; absent when there is no number. */
  readonly n?: number;
  /** The items begin behind this one. */
  readonly last?: string;
}

/** The page that a raw query asks for. */
export function pageOf(query: string): Page {
  const n = queryValue(query, 'n');
  const last = queryText(query, 'last');
  return {
    ...(n !== undefined && /^\d{1,9}$/.test(n) ? { n: Number(n) } : {}),
    ...(last === undefined ? {} : { last }),
  };
}

/** The query with these values of `n` and `last` and everything else as it is. */
export function withPage(query: string, page: Page): string {
  const others = query.split('&').filter((part) => part !== '' && !/^(?:n|last)(?:=|$)/.test(part));
  return [
    ...(page.n === undefined ? [] : [`n=${page.n}`]),
    ...(page.last === undefined ? [] : [`last=${encodeURIComponent(page.last)}`]),
    ...others,
  ].join('&');
}

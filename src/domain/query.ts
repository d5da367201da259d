// Raw queries, without the leading `?`. What is not asked for stays byte for byte.

/** The raw value of the first parameter of that name; undefined when it is absent or has no `=`. */
export function queryValue(query: string, name: string): string | undefined {
  const prefix = `${name}=`;
  return query
    .split('&')
    .find((part) => part.startsWith(prefix))
    ?.slice(prefix.length);
}

/** The query with each `name=value` passed through `change`; parts without `=` stay. */
export function mapQueryValues(query: string, change: (name: string, value: string) => string): string {
  return query
    .split('&')
    .map((part) => {
      const at = part.indexOf('=');
      return at < 0 ? part : `${part.slice(0, at)}=${change(part.slice(0, at), part.slice(at + 1))}`;
    })
    .join('&');
}

/** The query without any parameter of that name. */
export function withoutQueryParameter(query: string, name: string): string {
  return query
    .split('&')
    .filter((part) => part !== name && !part.startsWith(`${name}=`))
    .join('&');
}

/** The text that a raw value stands for; one that is wrongly encoded stands for itself. A `+` stays: media types have it. */
export function decodeQueryValue(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** The first value of that name as text; undefined when it is absent. */
export function queryText(query: string, name: string): string | undefined {
  const raw = queryValue(query, name);
  return raw === undefined ? undefined : decodeQueryValue(raw);
}

/** Queries put together; an empty one adds nothing. */
export function joinQueries(...queries: readonly string[]): string {
  return queries.filter((query) => query !== '').join('&');
}

/** A path with its query behind it, if there is one. */
export function withQuery(path: string, query: string): string {
  return query === '' ? path : `${path}?${query}`;
}

/** Header fields in order, with the capitals they arrived with or will leave with (scripts grep for `Location`). */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** The list from names and values in turn, the form of Node's and undici's raw headers. */
export function headerListFromRaw(raw: readonly string[]): HeaderList {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : []));
}

/** The first value of a field, compared without case; undefined when absent. */
export function headerValue(headers: HeaderList, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return headers.find(([candidate]) => candidate.toLowerCase() === wanted)?.[1];
}

/** All values of a field in order, compared without case. */
export function headerValues(headers: HeaderList, name: string): readonly string[] {
  const wanted = name.toLowerCase();
  return headers.filter(([candidate]) => candidate.toLowerCase() === wanted).map(([, value]) => value);
}

/** How a body is compressed (RFC 9110, section 8.4), in lower case; undefined when it is not. */
export function contentCoding(headers: HeaderList): string | undefined {
  const coding = headerValue(headers, 'Content-Encoding')?.trim().toLowerCase();
  return coding === '' || coding === 'identity' ? undefined : coding;
}

/** The list without the named fields. */
export function withoutHeaders(headers: HeaderList, ...names: readonly string[]): HeaderList {
  const dropped = new Set(names.map((name) => name.toLowerCase()));
  return headers.filter(([name]) => !dropped.has(name.toLowerCase()));
}

/** The list with exactly one field of that name, which takes the place of the first old one, or goes last. */
export function withHeader(headers: HeaderList, name: string, value: string): HeaderList {
  const wanted = name.toLowerCase();
  const at = headers.findIndex(([candidate]) => candidate.toLowerCase() === wanted);
  if (at < 0) return [...headers, [name, value]];
  return headers.flatMap((field, index) => {
    if (index === at) return [[name, value] as const];
    return field[0].toLowerCase() === wanted ? [] : [field];
  });
}

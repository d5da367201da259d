/** Header fields in the order and with the capitals they have on the wire. A name may occur more than once. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** Reads a flat list of names and values, as node:http gives it. */
export function headerList(rawHeaders: readonly string[]): HeaderList {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    pairs.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '']);
  }
  return pairs;
}

/** The values of every field of that name, whatever its capitals. */
export function headerValues(headers: HeaderList, name: string): string[] {
  return headers.filter(([key]) => sameName(key, name)).map(([, value]) => value);
}

/** The value of the first field of that name. */
export function headerValue(headers: HeaderList, name: string): string | undefined {
  return headerValues(headers, name)[0];
}

/** The list with that field set to one value: others of the same name are gone. */
export function withHeader(headers: HeaderList, name: string, value: string): HeaderList {
  return [...withoutHeader(headers, name), [name, value]];
}

/** The list without any field of that name. */
export function withoutHeader(headers: HeaderList, name: string): HeaderList {
  return headers.filter(([key]) => !sameName(key, name));
}

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

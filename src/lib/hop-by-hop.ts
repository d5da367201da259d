const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export type Field = readonly [name: string, value: string];

/** The fields that travel beyond one connection (RFC 9110, section 7.6.1): without hop-by-hop ones and those that Connection names. */
export function endToEndHeaders(headers: readonly Field[]): readonly Field[] {
  const named = headers
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(',').map((token) => token.trim().toLowerCase()));
  const dropped = named.length === 0 ? HOP_BY_HOP : HOP_BY_HOP.union(new Set(named));
  return headers.filter(([name]) => !dropped.has(name.toLowerCase()));
}

import { parseHost } from './fields.ts';
import type { Mistake } from './mistakes.ts';
import type { Path } from './schema-keys.ts';
import type { WrittenMap } from './written.ts';

/** One thing that only one endpoint can have. */
interface Claim {
  readonly endpoint: number;
  readonly path: Path;
  readonly value: unknown;
}

/** What two endpoints claim: a name, a host, a prefix, a namespace, or all other requests. */
export function claimMistakes(endpoints: readonly WrittenMap[]): readonly Mistake[] {
  const claims = (key: string, valuesOf: (entry: WrittenMap) => readonly (readonly [Path, unknown])[]) =>
    endpoints.flatMap((entry, endpoint) =>
      valuesOf(entry).map(([path, value]) => ({ endpoint, path: ['endpoints', endpoint, key, ...path], value })),
    );
  const single = (key: string, read: (value: unknown) => unknown) =>
    claims(key, (entry) => (entry[key] === undefined ? [] : [[[], read(entry[key])]]));
  const names = claims('name', ({ name = 'default' }) => [[[], name]]);
  const namespaces = claims('ns', ({ ns }) => (Array.isArray(ns) ? ns.map((value, at) => [[at], hostOf(value)]) : []));
  return [
    ...taken(names, (value, first) => `"${value}" is the name of endpoints[${first}] already`),
    ...taken(single('host', hostOf), (value, first) => `"${value}" is the host of endpoints[${first}] already`),
    ...taken(
      single('prefix', (value) => value),
      (value, first) => `"${value}" is the prefix of endpoints[${first}] already`,
    ),
    ...taken(namespaces, (value, first) => `endpoints[${first}] stands for "${value}" already`),
    ...taken(
      defaults(endpoints),
      (_, first) => `needs a host, a prefix or ns: endpoints[${first}] takes all other requests already`,
    ),
  ];
}

function hostOf(value: unknown): unknown {
  return typeof value === 'string' ? parseHost(value) : value;
}

function defaults(endpoints: readonly WrittenMap[]): readonly Claim[] {
  return endpoints.flatMap(({ host, prefix, ns }, endpoint) => {
    const hasWay = host !== undefined || prefix !== undefined || (Array.isArray(ns) ? ns.length > 0 : ns !== undefined);
    return hasWay ? [] : [{ endpoint, path: ['endpoints', endpoint], value: 'default' }];
  });
}

/** Each claim that repeats an earlier one; what is no text is another mistake. */
function taken(claims: readonly Claim[], message: (value: string, first: number) => string): readonly Mistake[] {
  const firsts = new Map<string, number>();
  return claims.flatMap(({ endpoint, path, value }) => {
    if (typeof value !== 'string') return [];
    const first = firsts.get(value);
    if (first === undefined) firsts.set(value, endpoint);
    return first === undefined ? [] : [{ path, message: message(value, first) }];
  });
}

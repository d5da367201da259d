/** One challenge of `WWW-Authenticate` (RFC 9110, section 11.6.1). */
export interface Challenge {
  /** As it was written: `Bearer`, `bearer`, `Basic`. */
  readonly scheme: string;
  /** What stands behind the scheme in place of parameters. */
  readonly token68?: string;
  /** In order, names in lower case, values without quotes. Of a repeated name only the first counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

const SEPARATORS = /[\s,]*/y;
const NAME = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const EQUALS = /\s*=\s*/y;
const TOKEN68 = /[ \t]+([A-Za-z0-9\-._~+/]+=*)[ \t]*(?=,|$)/y;
// A registry may forget the closing quote, or all of them.
const QUOTED = /"((?:[^"\\]|\\[\s\S])*)(?:"|$)/y;
const UNQUOTED = /[^\s,"]*/y;

/**
 * Reads all challenges of the values of `WWW-Authenticate`, in order. Registries send several in one field or in several, with
 * schemes in any case and commas between quotes. What makes no sense ends the reading of its field; this never throws.
 */
export function parseChallenges(values: readonly string[]): readonly Challenge[] {
  return values.flatMap(challengesOf);
}

/** The first challenge with that scheme, compared without case. */
export function challengeOf(challenges: readonly Challenge[], scheme: string): Challenge | undefined {
  return challenges.find((challenge) => challenge.scheme.toLowerCase() === scheme);
}

/** Writes a challenge with every value in quotes, as docker-registry does. */
export function formatChallenge({ scheme, token68, parameters }: Challenge): string {
  if (token68 !== undefined) return `${scheme} ${token68}`;
  const pairs = [...parameters].map(([name, value]) => `${name}="${value.replaceAll(/["\\]/g, '\\$&')}"`);
  return pairs.length === 0 ? scheme : `${scheme} ${pairs.join(',')}`;
}

function challengesOf(text: string): readonly Challenge[] {
  const found: { scheme: string; token68?: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return undefined;
    at = pattern.lastIndex;
    return match;
  };
  for (;;) {
    take(SEPARATORS);
    const name = take(NAME)?.[0];
    if (name === undefined) return found;
    const current = found.at(-1);
    if (current !== undefined && take(EQUALS) !== undefined) {
      // RFC 9110, section 11.6.1: either token68 or parameters.
      if (current.token68 !== undefined) return found;
      const value = String(take(QUOTED)?.[1]?.replaceAll(/\\([\s\S])/g, '$1') ?? take(UNQUOTED)?.[0]);
      const key = name.toLowerCase();
      if (!current.parameters.has(key)) current.parameters.set(key, value);
      continue;
    }
    const token68 = take(TOKEN68)?.[1];
    found.push({ scheme: name, parameters: new Map(), ...(token68 === undefined ? {} : { token68 }) });
  }
}

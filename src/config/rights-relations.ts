import { parseWho, type Who } from '../domain/who.ts';
import { didYouMean } from '../lib/nearest.ts';
import type { Mistake } from './mistakes.ts';
import type { Path } from './schema-keys.ts';
import { isMap, valueAt, type WrittenMap } from './written.ts';

const GROUP = /^[A-Za-z0-9]+(?:[._-]+[A-Za-z0-9]+)*$/;

/** Where the names of an endpoint's users come from. */
interface Sources {
  readonly groups: readonly string[];
  /** Whether users have names without a prefix: from a file of passwords, or from tokens. */
  readonly plain: boolean;
  readonly certificates: boolean;
  /** The names of OpenID entries. */
  readonly issuers: readonly string[];
}

/** Rules that say nothing, or can never match because nobody is like that. */
export function rightsMistakes(written: WrittenMap, endpoints: readonly WrittenMap[]): readonly Mistake[] {
  const groups = valueAt(written, ['groups']);
  const names = isMap(groups) ? Object.keys(groups) : [];
  return [
    ...names.filter((name) => !GROUP.test(name)).map((name) => ({ path: ['groups', name], message: BAD_GROUP })),
    ...endpoints.flatMap((endpoint, index) => endpointMistakes(endpoint, ['endpoints', index], names)),
  ];
}

const BAD_GROUP = 'a name is made of letters and digits, with ".", "_" or "-" between them';
const NO_AUTH =
  'needs auth: where nobody is asked who he is, rules about it decide nothing. For an endpoint that is open to all set repositories and readOnly';

function endpointMistakes({ rights, auth }: WrittenMap, path: Path, groups: readonly string[]): readonly Mistake[] {
  if (!Array.isArray(rights) || rights.length === 0) return [];
  if (auth === undefined || auth === 'none') return [{ path: [...path, 'rights'], message: NO_AUTH }];
  if (!isMap(auth)) return [];
  const place = [...path, 'rights'];
  const sources = sourcesOf(auth, groups);
  return rights.flatMap((rule, index) => (isMap(rule) ? ruleMistakes(rule, [...place, index], sources) : []));
}

function sourcesOf({ htpasswd, tokens, certificates, oidc }: WrittenMap, groups: readonly string[]): Sources {
  const entries = Array.isArray(oidc) ? oidc : [];
  return {
    groups,
    plain: htpasswd !== undefined || isOn(tokens),
    certificates: isOn(certificates),
    issuers: entries.flatMap((entry) => (isMap(entry) && typeof entry.name === 'string' ? [entry.name] : [])),
  };
}

function isOn(written: unknown): boolean {
  return written === true || written === 'true';
}

function ruleMistakes(rule: WrittenMap, path: Path, sources: Sources): readonly Mistake[] {
  const { who, allow, deny } = rule;
  const named = Array.isArray(who) ? who : [];
  return [
    ...(allow === undefined && deny === undefined ? [{ path, message: 'needs allow or deny: a list of actions' }] : []),
    ...(allow !== undefined && deny !== undefined
      ? [{ path: [...path, 'deny'], message: 'set either allow or deny; another rule can say the other' }]
      : []),
    ...['who', 'allow', 'deny', 'repositories'].flatMap((key) => emptyList(rule[key], [...path, key])),
    ...named.flatMap((text, index) => {
      const meant = typeof text === 'string' ? parseWho(text) : undefined;
      const message = meant && unknownWho(meant, sources);
      return message === undefined ? [] : [{ path: [...path, 'who', index], message }];
    }),
  ];
}

function emptyList(value: unknown, path: Path): readonly Mistake[] {
  return Array.isArray(value) && value.length === 0
    ? [{ path, message: 'is empty, so that the rule never matches' }]
    : [];
}

/** Why nobody is like that at this endpoint. */
function unknownWho(who: Who, sources: Sources): string | undefined {
  switch (who.kind) {
    case 'claim':
      return unknownIssuer(who.claim, sources);
    case 'group':
      if (who.name.includes(':')) return unknownIssuer(who.name, sources);
      return sources.groups.includes(who.name)
        ? undefined
        : `there is no group "${who.name}"${didYouMean(who.name, sources.groups) || '; groups lists them'}`;
    case 'user':
      if (who.name.startsWith('cert:')) return sources.certificates ? undefined : 'needs auth.certificates';
      if (who.name.includes(':')) return unknownIssuer(who.name, sources);
      return sources.plain
        ? undefined
        : 'needs auth.htpasswd or auth.tokens: other users have a prefix, such as ci:bob';
    default:
      return undefined;
  }
}

function unknownIssuer(name: string, { issuers }: Sources): string | undefined {
  const entry = name.slice(0, name.indexOf(':'));
  if (issuers.includes(entry)) return undefined;
  return `auth.oidc has no entry "${entry}"${didYouMean(entry, issuers)}`;
}

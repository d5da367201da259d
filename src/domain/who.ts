import type { Principal } from './principal.ts';

/** Whom a rule is about. */
export type Who =
  | { readonly kind: 'everybody' | 'authenticated' }
  | { readonly kind: 'user' | 'group'; readonly name: string }
  /** `claim` is `<entry>:<claim>`; in `pattern`, `*` stands for any characters. */
  | { readonly kind: 'claim'; readonly claim: string; readonly pattern: string };

// Names of users have no commas and blanks, which separate them elsewhere; those of OIDC entries have no colon.
const NAME = /^[^\s,]+$/;
const CLAIM = /^claim:([^:=\s]+:[^=\s]+)=(.+)$/;

/** `everybody`, `authenticated`, `group:dev`, `claim:ci:ref=refs/heads/*` or the name of a user; undefined when it is none. */
export function parseWho(text: string): Who | undefined {
  if (text === 'everybody' || text === 'authenticated') return { kind: text };
  const [, claim, pattern] = CLAIM.exec(text) ?? [];
  if (claim !== undefined && pattern !== undefined) return { kind: 'claim', claim, pattern };
  if (text.startsWith('claim:') || !NAME.test(text)) return undefined;
  if (!text.startsWith('group:')) return { kind: 'user', name: text };
  return text === 'group:' ? undefined : { kind: 'group', name: text.slice('group:'.length) };
}

/** The text that `parseWho` reads back. */
export function formatWho(who: Who): string {
  switch (who.kind) {
    case 'user':
      return who.name;
    case 'group':
      return `group:${who.name}`;
    case 'claim':
      return `claim:${who.claim}=${who.pattern}`;
    default:
      return who.kind;
  }
}

/** The groups of the configuration in which each user is. */
export type Memberships = ReadonlyMap<string, readonly string[]>;

/** @param groups the users of each */
export function membershipsOf(groups: Readonly<Record<string, readonly string[]>>): Memberships {
  const memberships = new Map<string, string[]>();
  for (const [group, users] of Object.entries(groups)) {
    for (const user of users) {
      const known = memberships.get(user);
      if (known === undefined) memberships.set(user, [group]);
      else known.push(group);
    }
  }
  return memberships;
}

/** What a client is: all that a rule can say of it without a `*`. No name can be taken for one of another kind. */
export function traitsOf({ user, groups, claims }: Principal, memberships: Memberships): readonly Who[] {
  if (user === undefined) return [{ kind: 'everybody' }];
  const all = [...groups, ...(memberships.get(user) ?? [])];
  return [
    { kind: 'everybody' },
    { kind: 'authenticated' },
    { kind: 'user', name: user },
    ...all.map((name) => ({ kind: 'group', name }) as const),
    ...Object.entries(claims).flatMap(([claim, value]) =>
      textsOf(value).map((pattern) => ({ kind: 'claim', claim, pattern }) as const),
    ),
  ];
}

/** What a claim can be compared by. An array has several values. */
function textsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(textsOf);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [String(value)] : [];
}

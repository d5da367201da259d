import type { View } from './accept.ts';
import type { Digest } from './digest.ts';
import type { RepositoryName, Tag } from './reference.ts';
import { compilePolicy, type RepositoryPattern } from './repository-policy.ts';
import type { Sighting } from './tag-history.ts';
import { compileTagPatterns, type TagPattern } from './tag-policy.ts';

/** Tags that are served with one digest whatever the registry says. */
export interface PinRule {
  readonly repository: RepositoryPattern;
  readonly tag: TagPattern;
  readonly digest: Digest;
}

/** Content that is refused: these tags and digests, or, where neither is named, all of these repositories. */
export interface DenyRule {
  readonly repositories: readonly RepositoryPattern[];
  readonly tags: readonly TagPattern[];
  readonly digests: readonly Digest[];
  /** What clients are told. */
  readonly message: string;
}

/** Tags that are served with what is known for some time. */
export interface CoolDownRule {
  readonly repositories: readonly RepositoryPattern[];
  readonly tags: readonly TagPattern[];
  /** In milliseconds. */
  readonly age: number;
  /** What becomes of a tag of which nothing is old enough to be served instead. */
  readonly unknown: 'serve' | 'refuse';
}

/** The rules of an endpoint; of each kind, the first one that matches counts. */
export interface ContentRules {
  readonly pins: readonly PinRule[];
  readonly deny: readonly DenyRule[];
  readonly coolDown: readonly CoolDownRule[];
}

/** What an endpoint has that serves what its registry says. */
export const NO_CONTENT_RULES: ContentRules = { pins: [], deny: [], coolDown: [] };

/** What the policy did to an answer. `cool-down-void`: the tag is held back, and there is nothing older that could be served. */
export type PolicyMark = 'pin' | 'cool-down' | 'cool-down-void' | 'deny';

/** What is asked for, or would be served. */
export interface NamedContent {
  readonly tag?: Tag | undefined;
  readonly digests?: readonly Digest[];
}

/** Names are the upstream's. */
export interface ContentPolicy {
  pinOf(repository: RepositoryName, tag: Tag): Digest | undefined;
  coolDownOf(repository: RepositoryName, tag: Tag): CoolDownRule | undefined;
  /** The operator's message when any of this is refused. */
  denial(repository: RepositoryName, content: NamedContent): string | undefined;
}

/** The policy of these rules; undefined when there are none, so that nothing has to be asked. */
export function compileContentPolicy({ pins, deny, coolDown }: ContentRules): ContentPolicy | undefined {
  if (pins.length + deny.length + coolDown.length === 0) return undefined;
  const pinned = pins.map(({ repository, tag, digest }) => ({ digest, matches: matcher([repository], [tag]) }));
  const cooled = coolDown.map((rule) => ({ rule, matches: matcher(rule.repositories, rule.tags) }));
  const denied = deny.map(({ repositories, tags, digests, message }) => ({
    message,
    repositories: compilePolicy(repositories, []),
    tags: compileTagPatterns(tags),
    digests: new Set(digests),
    all: tags.length + digests.length === 0,
  }));
  return {
    pinOf: (repository, tag) => pinned.find(({ matches }) => matches(repository, tag))?.digest,
    coolDownOf: (repository, tag) => cooled.find(({ matches }) => matches(repository, tag))?.rule,
    denial: (repository, { tag, digests = [] }) =>
      denied.find(
        (rule) =>
          rule.repositories.allows(repository) &&
          (rule.all || (tag !== undefined && rule.tags(tag)) || digests.some((digest) => rule.digests.has(digest))),
      )?.message,
  };
}

function matcher(repositories: readonly RepositoryPattern[], tags: readonly TagPattern[]) {
  const named = compilePolicy(repositories, []);
  const tagged = compileTagPatterns(tags);
  return (repository: RepositoryName, tag: Tag) => named.allows(repository) && tagged(tag);
}

/**
 * What becomes of a tag that is to cool down: `serve` what it means now, `hold` it back and serve `digest` instead, or `refuse` it.
 * `until` is when what it means now will be served, if it does not move again.
 */
export type CoolDownVerdict =
  | { readonly kind: 'serve' }
  | { readonly kind: 'hold'; readonly digest: Digest; readonly until: number }
  | { readonly kind: 'refuse'; readonly until: number };

/**
 * Judges a tag by its history. A digest is old enough once it has been known under the tag for `age`: then it is served, also when
 * the tag comes back to it. Otherwise the last one that is old enough stands in, and where none is, the one that is known longest;
 * unless the rule wants such a tag refused. A first-seen time that is yet to come, because the clock was set back, is no age at all.
 */
export function judgeCoolDown(
  history: readonly Sighting[],
  view: View,
  current: Digest,
  now: number,
  { age, unknown }: Pick<CoolDownRule, 'age' | 'unknown'>,
): CoolDownVerdict {
  const times = history.filter(({ digest }) => digest === current).map(({ firstSeen }) => firstSeen);
  const known = times.length === 0 ? undefined : Math.min(...times);
  const until = (known ?? now) + age;
  if (now >= until) return { kind: 'serve' };
  const others = othersThan(history, view, current);
  const cooled = others.filter(({ firstSeen }) => now - firstSeen >= age);
  const [last] = cooled.toSorted((a, b) => b.turn - a.turn);
  if (last !== undefined) return { kind: 'hold', digest: last.digest, until };
  if (unknown === 'refuse') return { kind: 'refuse', until };
  const [oldest] = others.toSorted((a, b) => a.firstSeen - b.firstSeen);
  const isOlder = oldest !== undefined && (known === undefined || oldest.firstSeen < known);
  return isOlder ? { kind: 'hold', digest: oldest.digest, until } : { kind: 'serve' };
}

/**
 * What else the tag meant to this kind of request. Registries may give others another digest, so that theirs stand in only where
 * they were given the same one, too, and this kind is new.
 */
function othersThan(history: readonly Sighting[], view: View, current: Digest): readonly Sighting[] {
  const views = [view, ...history.filter(({ digest }) => digest === current).map((sighting) => sighting.view)];
  const others = views.map((one) => history.filter((sighting) => sighting.view === one && sighting.digest !== current));
  return others.find((sightings) => sightings.length > 0) ?? [];
}

import type { Tag } from './reference.ts';

/** How long tags of one name, or of one pattern, are believed. */
export interface TagRule {
  /** A tag, or a pattern in which `*` stands for any characters. */
  readonly pattern: string;
  /** In milliseconds; Infinity for tags that never move. */
  readonly ttl: number;
}

/** For how long what is known of tags may be answered; times in milliseconds. */
export interface TagPolicy {
  /** Without asking the registry. */
  readonly ttlOf: (tag: Tag) => number;
  /** Beyond that, while the registry is asked behind the answer (RFC 5861, section 3). */
  readonly staleWhileRevalidate: number;
  /** Beyond that, while the registry cannot be asked (RFC 5861, section 4). */
  readonly staleFor: number;
  /** That the registry does not have something. */
  readonly notFoundTtl: number;
}

/**
 * What may be done with a tag: `fresh` is answered, `refreshing` is answered while the registry is asked, `stale` only when the
 * registry cannot be asked, and `expired` not at all.
 */
export type TagState = 'fresh' | 'refreshing' | 'stale' | 'expired';

/**
 * The time to live of each tag: that of the rule that names it, else of the first pattern that matches, else `rest`. Names go
 * first because maps do not keep names such as `15` in the order in which they were written.
 */
export function compileTagRules(rules: readonly TagRule[], rest: number): (tag: Tag) => number {
  const names = new Map(rules.map(({ pattern, ttl }) => [pattern, ttl]));
  const patterns = rules
    .filter(({ pattern }) => pattern.includes('*'))
    .map(({ pattern, ttl }) => ({ form: formOf(pattern), ttl }));
  return (tag) => names.get(tag) ?? patterns.find(({ form }) => form.test(tag))?.ttl ?? rest;
}

function formOf(pattern: string): RegExp {
  const parts = pattern.split(/\*+/).map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}

/** Judges a tag by the time since the registry confirmed it. */
export function judgeTag(age: number, ttl: number, policy: Omit<TagPolicy, 'ttlOf'>): TagState {
  // A clock that was set back must not make a tag fresh for longer, nor forget it during an outage.
  if (age < 0) return 'stale';
  if (age < ttl) return 'fresh';
  if (age < ttl + policy.staleWhileRevalidate) return 'refreshing';
  return age < ttl + policy.staleFor ? 'stale' : 'expired';
}

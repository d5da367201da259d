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
 * What may be done with a tag: `fresh` is answered, `refreshing` is answered while the registry is asked, `spared` is answered
 * because the registry would not bear the question, `stale` only when the registry cannot be asked, and `expired` not at all.
 */
export type TagState = 'fresh' | 'refreshing' | 'spared' | 'stale' | 'expired';

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

declare const patternBrand: unique symbol;

/** A pattern of tags, in which `*` stands for any characters. */
export type TagPattern = string & { readonly [patternBrand]: true };

const TAG_PATTERN = /^[\w.*-]{1,128}$/;

/** The pattern when a tag may match it, undefined otherwise. */
export function parseTagPattern(text: string): TagPattern | undefined {
  return TAG_PATTERN.test(text) ? (text as TagPattern) : undefined;
}

/** Whether a tag matches any of the patterns. */
export function compileTagPatterns(patterns: readonly TagPattern[]): (tag: Tag) => boolean {
  const forms = patterns.map(formOf);
  return (tag) => forms.some((form) => form.test(tag));
}

function formOf(pattern: string): RegExp {
  const parts = pattern.split(/\*+/).map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}

/** From this part of a registry's budget of requests down, tags are believed for longer. */
export const BUDGET_SHRINKS = 0.5;
/** Below this part nobody is asked about a tag that is known. */
export const BUDGET_ENDS = 0.05;

/**
 * For how long a tag is believed while `budget` of all requests that a registry allows is left: its own time down to one half,
 * then longer in proportion, so that it is ten times as long at one twentieth. Below that the tag is spared instead, and marked.
 * `staleFor` bounds it: what may not be answered while the registry cannot be asked is not answered to save requests, either.
 */
export function stretchedTtl(ttl: number, { staleFor }: Pick<TagPolicy, 'staleFor'>, budget: number): number {
  if (budget >= BUDGET_SHRINKS || budget < BUDGET_ENDS) return ttl;
  return Math.min((ttl * BUDGET_SHRINKS) / budget, ttl + staleFor);
}

/**
 * Judges a tag by the time since the registry confirmed it.
 * @param budget the part that is left of the requests that the registry allows
 */
export function judgeTag(age: number, ttl: number, policy: Omit<TagPolicy, 'ttlOf'>, budget = 1): TagState {
  // A clock that was set back must not make a tag fresh for longer, nor forget it during an outage.
  if (age < 0) return 'stale';
  const freshFor = stretchedTtl(ttl, policy, budget);
  if (age < freshFor) return 'fresh';
  if (budget < BUDGET_ENDS && age < ttl + policy.staleFor) return 'spared';
  const end = ttl + Math.max(policy.staleFor, policy.staleWhileRevalidate);
  if (age < Math.min(freshFor + policy.staleWhileRevalidate, end)) return 'refreshing';
  return age < ttl + policy.staleFor ? 'stale' : 'expired';
}

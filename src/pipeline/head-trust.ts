import { putLast } from '../lib/put-last.ts';

/** How long a registry is believed to know HEAD after one succeeded, in milliseconds. */
const BELIEVED_FOR = 10 * 60_000;
/** How long a refusal is believed in which HEAD and GET agreed, in milliseconds. */
const REFUSED_FOR = 60_000;
const MAX_REFUSALS = 1_000;

/**
 * Which registries are known to answer HEAD as they answer GET, so that their refusals need not be tried by GET.
 * `registry` is any object that stands for one.
 */
export interface HeadTrust {
  /** `question` names one piece of content and who asks for it. */
  trusts(registry: object, kind: 'manifest' | 'blob', question: string): boolean;
  succeeded(registry: object, kind: 'manifest' | 'blob'): void;
  /** A GET was refused as the HEAD was. */
  refusedAlike(question: string): void;
}

/** In memory, for the registries of the running configuration. */
export function createHeadTrust(now: () => number): HeadTrust {
  const successes = new WeakMap<object, Map<string, number>>();
  const refusals = new Map<string, number>();
  const since = (time: number | undefined): number => now() - (time ?? Number.NEGATIVE_INFINITY);
  return {
    trusts: (registry, kind, question) =>
      since(successes.get(registry)?.get(kind)) < BELIEVED_FOR || since(refusals.get(question)) < REFUSED_FOR,
    succeeded(registry, kind) {
      const times = successes.get(registry) ?? new Map<string, number>();
      successes.set(registry, times.set(kind, now()));
    },
    refusedAlike: (question) => putLast(refusals, question, now(), MAX_REFUSALS),
  };
}

import { hash } from 'node:crypto';
import { credentialsIn } from '../domain/credentials.ts';
import type { HeaderList } from '../domain/headers.ts';
import type { GivenToken } from '../domain/token-answer.ts';
import { createShortMemory } from '../lib/short-memory.ts';

/** Tokens that token services gave to clients who showed no credentials: whoever has one may do what everybody may. */
export interface AnonymousTokens {
  /** @param upstream whose service gave the token; at another registry it says nothing */
  note(upstream: string, token: GivenToken): void;
  /** Whether such a token that has not ended yet is all that these fields show. */
  isAllOf(upstream: string, headers: HeaderList): boolean;
}

/** Clients ask for a new token for each pull. */
const MAX_TOKENS = 10_000;
/** A token is taken for one of somebody before its registry refuses it, because a refusal of nobody says that content is private. */
const BELIEVED_FOR = 0.9;

/** Keeps hashes, never tokens. */
export function createAnonymousTokens(now: () => number): AnonymousTokens {
  const tokens = createShortMemory<object>(MAX_TOKENS, now);
  const keyOf = (upstream: string, token: string) => hash('sha256', JSON.stringify([upstream, token]), 'base64url');
  return {
    note(upstream, { token, lifetime }) {
      tokens.put(keyOf(upstream, token), {}, lifetime * 1_000 * BELIEVED_FOR);
    },
    isAllOf(upstream, headers) {
      const [[name, value] = ['', ''], ...others] = credentialsIn(headers);
      const token = /^Bearer +(\S+)$/i.exec(value)?.[1];
      if (token === undefined || name.toLowerCase() !== 'authorization' || others.length > 0) return false;
      return tokens.get(keyOf(upstream, token)) !== undefined;
    },
  };
}

/** What a request for a token may say without asking in somebody's name. */
const SAYS_NOBODY: ReadonlySet<string> = new Set(['service', 'scope', 'client_id']);

/** Whether a request for a token asks in nobody's name. What it could mean besides counts as somebody's. */
export function asksAsNobody(method: string, headers: HeaderList, form: URLSearchParams): boolean {
  return (
    method === 'GET' && credentialsIn(headers).length === 0 && [...form.keys()].every((name) => SAYS_NOBODY.has(name))
  );
}

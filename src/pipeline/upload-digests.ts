import { createDigester, type Digest, type Digester } from '../domain/digest.ts';
import { putLast } from '../lib/put-last.ts';

/** Sessions that are remembered at once; an older one merely loses its part in explanations. */
const MAX_SESSIONS = 10_000;

interface Session {
  readonly digester: Digester;
  readonly size: number;
  readonly minChunk: number;
}

/** What one request's body adds to a session. */
export interface UploadObserver {
  /** How many bytes the session had before; undefined when not all of them passed through here. */
  readonly offset: number | undefined;
  /** The least size of a chunk that is not the last, in bytes; 0 when nothing is known. */
  readonly minChunk: number;
  readonly observe: (chunk: Uint8Array) => void;
  /** Digest and size of all that the session got; undefined when not all of it passed through here. */
  total(): { readonly digest: Digest; readonly size: number } | undefined;
  /** Keeps the session under the key that its next request has, or forgets it. */
  settle(next: string | undefined): void;
}

/**
 * Digests of uploads while they pass, so that a refusal can say what arrived. Only sessions whose first byte passed
 * through here are known: a digest over a part of the content would mislead.
 */
export interface UploadDigests {
  /** `minChunk`: the least size of a chunk that is not the last, in bytes. */
  opened(session: string, minChunk?: number): void;
  observe(session: string): UploadObserver;
  /** Digest and size of what the session got so far; undefined when not all of it passed through here. */
  total(session: string): { readonly digest: Digest; readonly size: number } | undefined;
}

export function createUploadDigests(): UploadDigests {
  const sessions = new Map<string, Session>();
  const keep = (key: string, session: Session) => putLast(sessions, key, session, MAX_SESSIONS);
  const totalOf = (digester: Digester | undefined, size: number) =>
    digester === undefined ? undefined : { digest: digester.copy().digest(), size };
  return {
    total: (key) => totalOf(sessions.get(key)?.digester, sessions.get(key)?.size ?? 0),
    opened: (key, minChunk = 0) => keep(key, { digester: createDigester(), size: 0, minChunk }),
    observe(key) {
      const before = sessions.get(key);
      const digester = before?.digester.copy();
      const minChunk = before?.minChunk ?? 0;
      let size = before?.size ?? 0;
      return {
        offset: before?.size,
        minChunk,
        observe: (chunk) => {
          digester?.update(chunk);
          size += chunk.length;
        },
        total: () => totalOf(digester, size),
        settle: (next) => {
          sessions.delete(key);
          if (next !== undefined && digester !== undefined) keep(next, { digester, size, minChunk });
        },
      };
    },
  };
}

import { Readable } from 'node:stream';
import { readUpTo } from '../lib/read-body.ts';
import type { GuardedClient } from '../upstream/guard.ts';
import type { Answer } from './seen.ts';

/** An answer of a registry as it came, with what it was asked. */
export interface TracedAnswer extends Answer {
  readonly upstream: string;
  readonly method: string;
  /** Path and query, from `/v2/` on. */
  readonly path: string;
}

/** Bodies beyond are not kept, and go on as they come. */
const MAX_BODY = 8 * 1024 * 1024;

/** Makes an upstream note its answers before anybody changes them. */
export function traced(upstream: GuardedClient, note: (answer: TracedAnswer) => void): GuardedClient {
  return {
    ...upstream,
    async request(asked) {
      const answer = await upstream.request(asked);
      const { method, path } = asked;
      const facts = { upstream: upstream.name, method, path, status: answer.status, headers: answer.headers };
      if (method !== 'GET' || (!path.includes('/manifests/') && answer.status < 400)) {
        note({ ...facts, body: new Uint8Array() });
        return answer;
      }
      const body = await readUpTo(answer.body, MAX_BODY);
      if (!(body instanceof Uint8Array)) return { ...answer, body };
      note({ ...facts, body });
      return { ...answer, body: Readable.from(body.length === 0 ? [] : [body]) };
    },
  };
}

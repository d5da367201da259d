import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HeaderList } from '../domain/headers.ts';
import type { FinishedRequest } from '../pipeline/ports.ts';

/** What is known of a request before its answer has left. */
export type RequestRecord = Omit<FinishedRequest, 'id' | 'seconds' | 'bytesSent' | 'client'>;

export interface ReadyAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly bytes: Uint8Array | undefined;
  readonly record: RequestRecord;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/**
 * Answers that can be given again, byte for byte, to the very same request for a moment. Hundreds of nodes that pull one
 * tag ask for it in the same words; all but the first are answered without asking anything but this map.
 */
export interface ReadyAnswers {
  /** Answers the request when it can; the record is that of the first such request. */
  serve(incoming: IncomingMessage, outgoing: ServerResponse): ReadyAnswer | undefined;
  keep(incoming: IncomingMessage, answer: ReadyAnswer): void;
  /** Something was pushed or deleted: nothing is known for certain any more. */
  forget(): void;
}

/** Every distinct token makes an entry of its own, so that their number has to end somewhere. */
const MAX_ENTRIES = 4096;

export function createReadyAnswers(now: () => number): ReadyAnswers {
  const answers = new Map<string, ReadyAnswer & { readonly flat: string[] }>();
  return {
    serve(incoming, outgoing) {
      if (answers.size === 0 || (incoming.method !== 'GET' && incoming.method !== 'HEAD')) return undefined;
      const key = keyOf(incoming);
      const answer = answers.get(key);
      if (answer === undefined) return undefined;
      if (answer.until <= now()) {
        answers.delete(key);
        return undefined;
      }
      outgoing.writeHead(answer.status, answer.flat);
      outgoing.end(answer.bytes);
      return answer;
    },
    keep(incoming, answer) {
      if (answers.size >= MAX_ENTRIES) answers.clear();
      answers.set(keyOf(incoming), { ...answer, flat: answer.headers.flat() });
    },
    forget: () => answers.clear(),
  };
}

/** All that a request says. A difference in any field is a different request, so that nothing can be confused. */
function keyOf({ method, url, rawHeaders }: IncomingMessage): string {
  return `${method} ${url}\n${rawHeaders.join('\n')}`;
}

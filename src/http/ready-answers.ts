import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HeaderList } from '../domain/headers.ts';
import type { FinishedRequest } from '../pipeline/ports.ts';
import type { Limiter } from '../pipeline/ports-limits.ts';
import { certificateMark } from './client-certificate.ts';

/** What is known of a request before its answer has left. */
export type RequestRecord = Omit<FinishedRequest, 'id' | 'seconds' | 'bytesSent' | 'client'>;

export interface ReadyAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly bytes: Uint8Array | undefined;
  readonly record: RequestRecord;
  /** What counts the requests that it answers; undefined where nothing is limited. */
  readonly limits: Limiter | undefined;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/**
 * Answers that can be given again, byte for byte, to the very same request for a moment. Hundreds of nodes that pull one
 * tag ask for it in the same words; all but the first are answered without asking anything but this map.
 */
export interface ReadyAnswers {
  /** The answer to this request; its record is that of the first such request. */
  find(incoming: IncomingMessage): KeptAnswer | undefined;
  /** @param since `forgotten` when the request began: what was asked before a push ended may be untrue after it */
  keep(incoming: IncomingMessage, answer: ReadyAnswer, since: number): void;
  /** Something was pushed or deleted: nothing is known for certain any more. */
  forget(): void;
  /** How often that happened. */
  readonly forgotten: number;
}

/** Every distinct token makes an entry of its own, so that their number and their bytes have to end somewhere. */
const MAX_ENTRIES = 4096;
const MAX_BYTES = 64 * 1024 * 1024;

export function createReadyAnswers(now: () => number): ReadyAnswers {
  const answers = new Map<string, KeptAnswer>();
  let bytesKept = 0;
  let forgotten = 0;
  const clear = (): void => {
    answers.clear();
    bytesKept = 0;
  };
  return {
    find(incoming) {
      if (answers.size === 0 || (incoming.method !== 'GET' && incoming.method !== 'HEAD')) return undefined;
      const key = keyOf(incoming);
      const answer = answers.get(key);
      if (answer === undefined) return undefined;
      const time = now();
      // A clock that was set back must not make it last longer.
      if (answer.until <= time || time < answer.keptAt) {
        answers.delete(key);
        bytesKept -= answer.bytes?.length ?? 0;
        return undefined;
      }
      return answer;
    },
    keep(incoming, answer, since) {
      if (since !== forgotten) return;
      const length = answer.bytes?.length ?? 0;
      if (answers.size >= MAX_ENTRIES || bytesKept + length > MAX_BYTES) clear();
      const key = keyOf(incoming);
      bytesKept += length - (answers.get(key)?.bytes?.length ?? 0);
      answers.set(key, { ...answer, flat: answer.headers.flat(), keptAt: now(), text: textOf(answer.bytes) });
    },
    forget() {
      forgotten += 1;
      clear();
    },
    get forgotten() {
      return forgotten;
    },
  };
}

export interface KeptAnswer extends ReadyAnswer {
  /** Names and values in turn. */
  readonly flat: string[];
  readonly keptAt: number;
  /** The bytes as Latin-1, which keeps each of them: Node sends a string together with the head in one write. */
  readonly text: string | undefined;
}

/** Answers a request. */
export function giveReady(outgoing: ServerResponse, { status, flat, text, bytes }: KeptAnswer): void {
  outgoing.writeHead(status, flat);
  if (text === undefined) outgoing.end(bytes);
  else outgoing.end(text, 'latin1');
}

const MAX_TEXT = 32 * 1024;

function textOf(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined || bytes.length > MAX_TEXT) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** All that a request says, and whose connection it is. A difference in anything is a different request, so that nothing can be confused. */
function keyOf(incoming: IncomingMessage): string {
  const { method, url, rawHeaders } = incoming;
  return `${method} ${url}\n${certificateMark(incoming)}\n${rawHeaders.join('\n')}`;
}

import { randomBytes } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { within } from '../support/deadline.ts';

/** An answer that is read piece by piece. */
export interface StreamingAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Waits until that many bytes of the body are in all, or the body ends; gives all so far. */
  received(bytes: number): Promise<Buffer>;
  /** The whole body. Rejects when it breaks off. */
  whole(): Promise<Buffer>;
  /** How much of the body came; grows as it arrives. */
  readonly length: number;
  /** Leaves without reading the rest. */
  leave(): void;
}

interface StreamingRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Starts a request whose body the caller writes, on a connection of its own. */
export function startRequest(url: string, { method = 'PATCH', headers = {} }: StreamingRequest = {}): ClientRequest {
  const { hostname, port, pathname, search } = new URL(url);
  const outgoing = request({ hostname, port, path: `${pathname}${search}`, method, headers, agent: false });
  // Connections are broken on purpose; tests look at `close` and at the answer.
  outgoing.on('error', () => undefined);
  return outgoing;
}

/** Sends a request without a body and resolves when the head of the answer is there. */
export async function openAnswer(url: string, options: StreamingRequest = {}): Promise<StreamingAnswer> {
  const outgoing = startRequest(url, { method: 'GET', ...options });
  outgoing.end();
  return streamingAnswer(await answerTo(outgoing));
}

/** The answer to a started request. Rejects when the connection ends without one. */
export function answerTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  outgoing.once('response', resolve);
  outgoing.once('close', () => reject(new Error('the connection ended without an answer')));
  return within(`an answer to ${outgoing.method} ${outgoing.path}`, promise);
}

function streamingAnswer(incoming: IncomingMessage): StreamingAnswer {
  const chunks: Buffer[] = [];
  const waiting = new Set<() => void>();
  const { promise: ended, resolve: end } = Promise.withResolvers<'whole' | 'cut'>();
  let length = 0;
  incoming.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    for (const look of waiting) look();
  });
  incoming.on('error', () => undefined);
  incoming.once('close', () => end(incoming.complete ? 'whole' : 'cut'));
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    get length() {
      return length;
    },
    received: (bytes) => {
      const enough = new Promise<void>((resolve) => {
        waiting.add(() => length >= bytes && resolve());
        if (length >= bytes) resolve();
      });
      return within(`${bytes} bytes of a body`, Promise.race([enough, ended])).then(() => Buffer.concat(chunks));
    },
    whole: async () => {
      if ((await within('the end of a body', ended, 30_000)) === 'cut') throw new Error('the body was cut off');
      return Buffer.concat(chunks);
    },
    leave: () => void incoming.destroy(),
  };
}

/** Bytes that no compression and no cache has seen. */
export function freshBytes(length: number): Buffer {
  return randomBytes(length);
}

import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Barrier } from './deadline.ts';
import type { HeaderList } from './headers.ts';

/** What a step of a script works on. */
export interface ScriptContext {
  readonly socket: Socket;
  readonly method: string;
  /** Those of the request. */
  readonly headers: HeaderList;
  /** Reads up to that many bytes of the request body, or all of it. */
  readBody(limit?: number): Promise<void>;
  /** Settles when the connection is gone, whoever closed it. */
  readonly closed: Promise<void>;
}

/** One act of a scripted answer. Steps run one after the other until the connection is gone. */
export type Step = (context: ScriptContext) => Promise<void>;

/** A whole, well-formed answer with its Content-Length; to HEAD only the head is sent. */
export function respond(status: number, headers: HeaderList = [], body: Buffer | string = ''): Step {
  const bytes = Buffer.from(body);
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  const sendHead = head(status, [...lines, `Content-Length: ${bytes.length}`]);
  return async (context) => {
    await sendHead(context);
    if (context.method !== 'HEAD') await write(context, bytes);
  };
}

/** A status line, header lines exactly as given (malformed ones too), and the empty line. */
export function head(status: number, lines: readonly string[]): Step {
  const reason = STATUS_CODES[status] ?? '';
  return send([`HTTP/1.1 ${status} ${reason}`, ...lines, '', ''].join('\r\n'));
}

/** Bytes as they are. Waits until the peer took them, or is gone. */
export function send(bytes: Buffer | string): Step {
  return (context) => write(context, bytes);
}

/** One chunk of a chunked body. */
export function chunk(bytes: Buffer | string): Step {
  const content = Buffer.from(bytes);
  return send(Buffer.concat([Buffer.from(`${content.length.toString(16)}\r\n`), content, Buffer.from('\r\n')]));
}

/** The end of a chunked body. */
export function lastChunk(): Step {
  return send('0\r\n\r\n');
}

/** Bytes in small pieces with a pause after each: a slow upstream. */
export function drip(bytes: Buffer, size: number, pauseMilliseconds: number): Step {
  return async (context) => {
    for (let start = 0; start < bytes.length && !context.socket.destroyed; start += size) {
      await write(context, bytes.subarray(start, start + size));
      await Promise.race([delay(pauseMilliseconds), context.closed]);
    }
  };
}

/** Goes on when the test releases the barrier. */
export function waitFor(barrier: Barrier): Step {
  return ({ closed }) => Promise.race([barrier.passed, closed]);
}

/** Reads up to that many bytes of the request body, or all of it; for scripts that start at the head. */
export function readBody(limit?: number): Step {
  return (context) => context.readBody(limit);
}

/** Closes the sending side in order. */
export function fin(): Step {
  return async ({ socket }) => void socket.end();
}

/** Breaks the connection with a TCP reset. */
export function rst(): Step {
  return async ({ socket, closed }) => {
    socket.resetAndDestroy();
    await closed;
  };
}

/** Says nothing more until the peer, or the end of the test, closes the connection. */
export function hang(): Step {
  return ({ closed }) => closed;
}

async function write({ socket, closed }: ScriptContext, bytes: Buffer | string): Promise<void> {
  if (socket.destroyed || socket.write(bytes)) return;
  await Promise.race([new Promise<void>((drained) => socket.once('drain', () => drained())), closed]);
}

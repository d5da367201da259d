import type { ServerResponse } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type RegistryError, renderError } from '../domain/errors.ts';
import { type HeaderList, withHeader, withoutHeaders } from '../domain/headers.ts';
import type { Flow } from '../lib/shared-rate.ts';
import type { Answer, Exchange } from '../pipeline/exchange.ts';
import { clientGone } from '../pipeline/pass-through-proxy.ts';
import type { BlobReader, CacheStatus } from '../pipeline/ports.ts';

// RFC 9211, "The Cache-Status HTTP Response Header Field".
const CACHE_STATUS: Record<CacheStatus, string> = {
  hit: 'manifix; hit',
  miss: 'manifix; fwd=miss',
  stale: 'manifix; fwd=stale',
  bypass: 'manifix; fwd=bypass',
};

/** The header fields that leave with an answer: its own, what the cache did and which fixes changed the exchange. */
export function headersOfAnswer(answer: Answer, method: string, applied: Exchange['applied']): HeaderList {
  const read = method === 'GET' || method === 'HEAD';
  const cache = answer.cache ?? (read ? 'miss' : undefined);
  const detail = answer.staleReason === undefined ? '' : `; detail="${answer.staleReason}"`;
  const stored = answer.stored === true ? '; stored' : '';
  const status = cache === undefined ? undefined : CACHE_STATUS[cache] + stored + detail;
  const headers = status === undefined ? answer.headers : withHeader(answer.headers, 'Cache-Status', status);
  const changed = new Set(applied.filter((fix) => fix.mode === 'on' && fix.failure === undefined).map((fix) => fix.id));
  return changed.size === 0 ? headers : withHeader(headers, 'Manifix-Fixes', [...changed].join(', '));
}

/** The one place where an error becomes an answer. */
export function answerError(error: RegistryError, method: string): Answer {
  const bytes = Buffer.from(renderError(error));
  const headers: HeaderList = [
    ...withoutHeaders(error.headers, 'Content-Type', 'Content-Length'),
    ['Content-Type', 'application/json; charset=utf-8'],
    ['Content-Length', String(bytes.length)],
    ['Docker-Distribution-Api-Version', 'registry/2.0'],
  ];
  return {
    status: error.status,
    headers,
    body: method === 'HEAD' ? { kind: 'none' } : { kind: 'bytes', bytes },
    ...(error.policy === undefined ? {} : { policy: error.policy }),
  };
}

/**
 * Writes an answer to the socket and resolves with the number of body bytes once they are handed over. The body either
 * ends whole or the connection is destroyed: a client never sees a clean end of an incomplete body. Rejects with what
 * broke the body off, which is an AbortError when the client left.
 * @param pace holds the body up where the bytes that a client gets are limited
 */
export async function respond(
  outgoing: ServerResponse,
  status: number,
  headers: HeaderList,
  body: Answer['body'],
  pace?: Flow,
): Promise<number> {
  if (pace !== undefined) outgoing.once('close', () => pace.end());
  try {
    outgoing.writeHead(status, headers.flat());
    switch (body.kind) {
      case 'none':
        outgoing.end();
        return 0;
      case 'bytes':
        if (pace !== undefined) await inTime(outgoing, pace, body.bytes.length);
        outgoing.end(body.bytes);
        return body.bytes.length;
      case 'blob':
        return await pump(body.reader, outgoing, pace);
      case 'stream': {
        // Everything that waits for the end of a request listens here, and a pipeline adds listeners of its own.
        outgoing.setMaxListeners(20);
        let sent = 0;
        body.stream.on('data', (chunk: Uint8Array) => {
          sent += chunk.length;
        });
        if (pace === undefined) await pipeline(body.stream, outgoing);
        else await pipeline(body.stream, paced(outgoing, pace), outgoing);
        return sent;
      }
    }
  } catch (error) {
    const left = body.kind === 'stream' ? endedEarly(error) : outgoing.destroyed;
    discard(body);
    outgoing.destroy();
    throw left ? clientGone() : error;
  }
}

/** By this code `pipeline` says that the receiving side was closed; a source that fails has an error of its own. */
function endedEarly(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}

/** How long the header fields wait to leave together with the first bytes, in milliseconds. */
const FIRST_BYTES = 5;

/** Waits for the time of the next bytes. Clients give up after 30 s without header fields, so that those go ahead. */
async function inTime(outgoing: ServerResponse, pace: Flow, amount: number): Promise<void> {
  const time = pace.pass(amount);
  if (time === undefined) return;
  outgoing.flushHeaders();
  await time;
  if (outgoing.destroyed) throw new Error('the client is gone');
}

/** Hands every chunk on when its time has come. */
function paced(outgoing: ServerResponse, pace: Flow): Transform {
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      inTime(outgoing, pace, chunk.length).then(() => done(null, chunk), done);
    },
  });
}

async function pump(reader: BlobReader, outgoing: ServerResponse, pace: Flow | undefined): Promise<number> {
  let sent = 0;
  let giveUp = (_reason: Error) => {};
  // Neither a chunk that is long in coming nor a write on a half-closed connection, which Node never calls back, tells that
  // the client has left.
  const onClose = () => {
    reader.close();
    giveUp(new Error('the client is gone'));
  };
  outgoing.once('close', onClose);
  // containerd gives up after 30 s without header fields, and the first bytes may be long in coming.
  const impatient = setTimeout(() => outgoing.flushHeaders(), FIRST_BYTES);
  try {
    for (;;) {
      const chunk = await reader.next();
      clearTimeout(impatient);
      if (chunk === undefined) break;
      if (pace !== undefined) await inTime(outgoing, pace, chunk.length);
      // Only when the bytes have left may the reader use their buffer again.
      await new Promise<void>((resolve, reject) => {
        giveUp = reject;
        if (outgoing.destroyed) onClose();
        else outgoing.write(chunk, (error) => (error ? reject(error) : resolve()));
      });
      sent += chunk.length;
    }
    outgoing.end();
    return sent;
  } finally {
    outgoing.off('close', onClose);
    clearTimeout(impatient);
    reader.close();
  }
}

/** Frees what a body that is not sent holds. */
export function discard(body: Answer['body']): void {
  if (body.kind === 'blob') body.reader.close();
  if (body.kind === 'stream') body.stream.destroy();
}

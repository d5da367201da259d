import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { type RegistryError, renderError } from '../domain/errors.ts';
import { type HeaderList, withHeader, withoutHeaders } from '../domain/headers.ts';
import type { Answer, Exchange } from '../pipeline/exchange.ts';
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
 */
export async function respond(
  outgoing: ServerResponse,
  status: number,
  headers: HeaderList,
  body: Answer['body'],
): Promise<number> {
  try {
    outgoing.writeHead(status, headers.flat());
    switch (body.kind) {
      case 'none':
        outgoing.end();
        return 0;
      case 'bytes':
        outgoing.end(body.bytes);
        return body.bytes.length;
      case 'blob':
        return await pump(body.reader, outgoing);
      case 'stream': {
        // Everything that waits for the end of a request listens here, and a pipeline adds listeners of its own.
        outgoing.setMaxListeners(20);
        let sent = 0;
        body.stream.on('data', (chunk: Uint8Array) => {
          sent += chunk.length;
        });
        await pipeline(body.stream, outgoing);
        return sent;
      }
    }
  } catch (error) {
    const left = body.kind === 'stream' ? endedEarly(error) : outgoing.destroyed;
    discard(body);
    outgoing.destroy();
    throw left ? new DOMException('The client closed the connection.', 'AbortError') : error;
  }
}

/** By this code `pipeline` says that the receiving side was closed; a source that fails has an error of its own. */
function endedEarly(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}

/** How long the header fields wait to leave together with the first bytes, in milliseconds. */
const FIRST_BYTES = 5;

async function pump(reader: BlobReader, outgoing: ServerResponse): Promise<number> {
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

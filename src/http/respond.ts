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
  stale: 'manifix; fwd=stale; detail="registry-unavailable"',
  bypass: 'manifix; fwd=bypass',
};

/** The header fields that leave with an answer: its own, what the cache did and which fixes changed the exchange. */
export function headersOfAnswer(answer: Answer, method: string, applied: Exchange['applied']): HeaderList {
  const read = method === 'GET' || method === 'HEAD';
  const cache = answer.cache ?? (read ? 'miss' : undefined);
  const status = cache === undefined ? undefined : CACHE_STATUS[cache] + (answer.stored === true ? '; stored' : '');
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
  return { status: error.status, headers, body: method === 'HEAD' ? { kind: 'none' } : { kind: 'bytes', bytes } };
}

/**
 * Writes an answer to the socket and resolves with the number of body bytes once they are handed over. The body either
 * ends whole or the connection is destroyed: a client never sees a clean end of an incomplete body.
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
        let sent = 0;
        body.stream.on('data', (chunk: Uint8Array) => {
          sent += chunk.length;
        });
        await pipeline(body.stream, outgoing);
        return sent;
      }
    }
  } catch (error) {
    discard(body);
    outgoing.destroy();
    throw error;
  }
}

async function pump(reader: BlobReader, outgoing: ServerResponse): Promise<number> {
  let sent = 0;
  try {
    for (;;) {
      const chunk = await reader.next();
      if (chunk === undefined) break;
      await write(outgoing, chunk);
      sent += chunk.length;
    }
    outgoing.end();
    return sent;
  } finally {
    reader.close();
  }
}

/** Resolves when the bytes have left: only then may the reader use their buffer again. */
function write(outgoing: ServerResponse, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    if (outgoing.destroyed) {
      reject(new Error('the client is gone'));
      return;
    }
    outgoing.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

/** Frees what a body that is not sent holds. */
export function discard(body: Answer['body']): void {
  if (body.kind === 'blob') body.reader.close();
  if (body.kind === 'stream') body.stream.destroy();
}

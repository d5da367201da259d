import { ServerResponse } from 'node:http';
import { RegistryError } from '../domain/errors.ts';
import { withHeader, withoutHeaders } from '../domain/headers.ts';
import { OCTET_STREAM } from '../domain/media-type.ts';
import { joinQueries, queryValue, withoutQueryParameter } from '../domain/query.ts';
import type { RequestView } from '../fixes/fix.ts';
import { type BodyPace, readInTime } from '../lib/body-deadline.ts';
import type { Portion, Portions } from '../lib/portions.ts';
import type { Exchange } from './exchange.ts';
import type { Forwarded } from './mount-fallback.ts';
import { clientGone, type ForwardedAnswer } from './pass-through-proxy.ts';
import type { ClientExchange } from './pass-through-request.ts';
import type { Services } from './ports.ts';
import { nextInSession } from './session-location.ts';

/** What sends one request, by way of a client exchange, and where that leads. */
export type SendChunk = (via: ClientExchange, view: RequestView, bytes: Uint8Array) => Promise<ForwardedAnswer>;

export interface ChunkedUpload {
  /** The client's PATCH or PUT. */
  readonly sent: RequestView;
  readonly portions: Portions;
  /** How many bytes the session has, where that is known. */
  readonly offset: number | undefined;
  /** The first size to try, and the least one, in bytes. */
  readonly size: number;
  readonly smallest: number;
  readonly send: SendChunk;
  /** Told when chunks of a size are taken that is smaller than the first. */
  readonly onSmaller: (size: number) => void;
}

/** A client that sends nothing for two minutes, or next to nothing, holds up a chunk in memory. */
const CHUNK_PACE: BodyPace = { grace: 120_000, bytesPerSecond: 1024 };

/**
 * Sends the client's content in chunks, each to the Location of the answer before, and finishes as the client wanted. What
 * is refused as too large is sent again in halves. No more than one chunk is held. Gives the last request and its answer.
 */
export async function uploadInChunks(
  services: Services,
  exchange: Exchange,
  upload: ChunkedUpload,
): Promise<Forwarded> {
  try {
    return await sendAll(services, exchange, upload);
  } catch (error) {
    // A client that is still sending has to get to its answer.
    upload.portions.discard();
    throw error;
  }
}

async function sendAll(services: Services, exchange: Exchange, upload: ChunkedUpload): Promise<Forwarded> {
  const { sent, portions, onSmaller } = upload;
  let { size, offset } = upload;
  let at: Pick<RequestView, 'route' | 'query'> = sent;
  for (let isFirst = true; ; isFirst = false) {
    const chunk = await sendNext(exchange, upload, size, ({ bytes, isLast }) =>
      isFirst && isLast ? wholeView(sent) : chunkView(sent, at, offset, bytes.byteLength),
    );
    const { view, answer, isLast } = chunk;
    size = chunk.size;
    if (answer.status < 300 && size < upload.size) onSmaller(size);
    if (answer.status >= 300 || view.method === 'PUT' || (isLast && sent.method === 'PATCH')) {
      if (!isLast) portions.discard();
      return { sent: view, answer: { ...answer, sentWhole: () => isLast } };
    }
    at = await nextInSession(services, exchange, view, answer);
    if (offset !== undefined) offset += chunk.length;
    if (isLast) return finish(exchange, upload, at);
  }
}

interface SentChunk {
  readonly view: RequestView;
  readonly answer: ForwardedAnswer;
  readonly length: number;
  readonly isLast: boolean;
  /** The size that was not too large. */
  readonly size: number;
}

async function sendNext(
  exchange: Exchange,
  { portions, smallest, send }: ChunkedUpload,
  size: number,
  viewOf: (portion: Portion) => RequestView,
): Promise<SentChunk> {
  for (let tried = size; ; ) {
    const portion = await nextPortion(exchange, portions, tried);
    const view = viewOf(portion);
    const answer = await send(unread(exchange), view, portion.bytes);
    const length = portion.bytes.byteLength;
    if (answer.status !== 413 || length <= smallest)
      return { view, answer, length, isLast: portion.isLast, size: tried };
    answer.body.destroy();
    portions.putBack(portion.bytes);
    tried = Math.max(smallest, Math.floor(length / 2));
  }
}

async function nextPortion(exchange: Exchange, portions: Portions, size: number): Promise<Portion> {
  const reading = portions.take(size).catch((cause) => {
    throw exchange.outgoing.destroyed ? clientGone() : cause;
  });
  return readInTime(exchange.incoming, reading, CHUNK_PACE, tooSlow);
}

function tooSlow(received: number): RegistryError {
  return new RegistryError('BLOB_UPLOAD_INVALID', {
    status: 408,
    message: 'the upload did not go on in time',
    explanation: `For two minutes only ${received} bytes of the request arrived.`,
    fix: 'body-framing-limits',
    headers: [['Connection', 'close']],
  });
}

/** Everything at once, and now with a length. */
function wholeView(sent: RequestView): RequestView {
  return { ...sent, headers: withoutHeaders(sent.headers, 'Expect') };
}

function chunkView(
  sent: RequestView,
  at: Pick<RequestView, 'route' | 'query'>,
  offset: number | undefined,
  length: number,
): RequestView {
  const query = withoutQueryParameter(at.query, 'digest');
  const plain = withHeader(withoutHeaders(sent.headers, 'Expect', 'Content-Range'), 'Content-Type', OCTET_STREAM);
  const headers =
    offset === undefined ? plain : withHeader(plain, 'Content-Range', `${offset}-${offset + Math.max(0, length - 1)}`);
  return { ...sent, ...at, method: 'PATCH', query, headers };
}

async function finish(
  exchange: Exchange,
  { sent, send }: ChunkedUpload,
  at: Pick<RequestView, 'route' | 'query'>,
): Promise<Forwarded> {
  const digest = queryValue(sent.query, 'digest');
  const query = joinQueries(at.query, digest === undefined ? '' : `digest=${digest}`);
  const view = { ...sent, ...at, query, headers: withoutHeaders(sent.headers, 'Expect', 'Content-Range') };
  return { sent: view, answer: await send(unread(exchange), view, new Uint8Array()) };
}

/** Each request sees an answer of its own that nobody reads, so that thousands of chunks leave nothing on the client's. */
function unread({ incoming }: Exchange): ClientExchange {
  return { incoming, outgoing: new ServerResponse(incoming) };
}

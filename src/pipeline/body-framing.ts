import { headerValue } from '../domain/headers.ts';
import type { RequestView } from '../fixes/fix.ts';
import type { KeptStart } from '../lib/kept-start.ts';
import { portionsOf } from '../lib/portions.ts';
import type { Exchange } from './exchange.ts';
import type { Forwarded } from './mount-fallback.ts';
import type { ForwardedAnswer } from './pass-through-proxy.ts';
import type { Services } from './ports.ts';
import { reportRepair } from './report.ts';
import { type SendChunk, uploadInChunks } from './upload-chunks.ts';
import type { UploadObserver } from './upload-digests.ts';

const FIX = 'body-framing-limits';
/** S3 behind a registry wants parts of 5 MiB; more is only held in memory for longer. */
const USUAL_CHUNK = 8 * 1024 * 1024;
/** A registry may ask for larger chunks, up to here. */
const MAX_CHUNK = 64 * 1024 * 1024;
/** No proxy has a limit as low as this. */
const MIN_CHUNK = 16 * 1024;

/** The ways to the registry for the content of one request. */
export interface ContentSender {
  /** Streams the client's body; `also` sees every piece of it. */
  readonly stream: (also: (piece: Uint8Array) => void) => Promise<ForwardedAnswer>;
  readonly chunk: SendChunk;
  readonly observer: UploadObserver;
  readonly keepStart: () => KeptStart;
}

/**
 * Sends the content of a PATCH or PUT: streamed as the client sends it, or in chunks to a registry that does not take that.
 * A registry that is found out by this very request gets chunks at once, when the start of the content is still there.
 */
export async function sendContent(
  services: Services,
  exchange: Exchange,
  sent: RequestView,
  sender: ContentSender,
): Promise<Forwarded> {
  const mode = exchange.endpoint.fixes.mode(FIX);
  if (mode === 'on' && isDue(services, exchange, sent)) return inChunks(services, exchange, sent, sender, []);
  const kept = mode === 'on' ? sender.keepStart() : undefined;
  let streamed = 0;
  const answer = await sender.stream((piece) => {
    streamed += piece.byteLength;
    kept?.add(piece);
  });
  const start = kept?.take();
  if (mode === 'off' || (answer.status !== 411 && answer.status !== 413)) return { sent, answer };
  prove(services, exchange, answer.status === 413 ? (lengthOf(sent) ?? streamed) : undefined);
  if (start !== undefined) {
    answer.reclaimRest();
    answer.body.destroy();
    return inChunks(services, exchange, sent, sender, start);
  }
  if (mode === 'observe') reportRepair(exchange, FIX, `the registry answered ${answer.status} to a body`);
  return { sent, answer };
}

/** Whether this body is known to be one that the registry does not take. */
function isDue({ defects }: Services, { endpoint: { upstream } }: Exchange, sent: RequestView): boolean {
  const proven = defects.proven(upstream.name, FIX);
  if (proven === undefined && upstream.maxRequestBody === undefined) return false;
  const length = lengthOf(sent);
  return length === undefined || length > Math.min(proven?.limit ?? length, upstream.maxRequestBody ?? length);
}

/** Of what was refused, half is a first guess at the limit. */
function prove({ defects }: Services, { endpoint: { upstream } }: Exchange, refused: number | undefined): void {
  const limit = refused === undefined ? undefined : Math.min(USUAL_CHUNK, Math.max(MIN_CHUNK, Math.floor(refused / 2)));
  defects.prove(upstream.name, FIX, limit === undefined ? {} : { limit });
}

function inChunks(
  services: Services,
  exchange: Exchange,
  sent: RequestView,
  { chunk, observer }: ContentSender,
  start: readonly Uint8Array[],
): Promise<Forwarded> {
  const { upstream } = exchange.endpoint;
  const limit = services.defects.proven(upstream.name, FIX)?.limit ?? USUAL_CHUNK;
  const smallest = Math.max(MIN_CHUNK, Math.min(observer.minChunk, MAX_CHUNK));
  const size = Math.max(smallest, Math.min(USUAL_CHUNK, limit, upstream.maxRequestBody ?? USUAL_CHUNK));
  reportRepair(exchange, FIX, `sent in chunks of at most ${size} bytes`);
  return uploadInChunks(services, exchange, {
    sent,
    portions: portionsOf(exchange.incoming, start, observer.observe),
    offset: observer.offset,
    size,
    smallest,
    send: chunk,
    onSmaller: (taken) => services.defects.prove(upstream.name, FIX, { limit: taken }),
  });
}

function lengthOf({ headers }: RequestView): number | undefined {
  const length = headerValue(headers, 'Content-Length');
  return length === undefined ? undefined : Number(length);
}

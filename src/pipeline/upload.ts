import { withoutCredentials } from '../domain/credentials.ts';
import type { HeaderList } from '../domain/headers.ts';
import { joinQueries, withQuery } from '../domain/query.ts';
import type { RequestView } from '../fixes/fix.ts';
import { createStartKeeper, type KeptStart } from '../lib/kept-start.ts';
import { sendContent } from './body-framing.ts';
import { answerDeniedPush, digestsInQuery, withoutDeniedMount } from './denied-content.ts';
import type { Answer, Exchange } from './exchange.ts';
import { orStoredBefore } from './finished-upload.ts';
import { forwardAuthorized } from './forward-authorized.ts';
import { type Forwarded, orSessionInstead } from './mount-fallback.ts';
import { repairRequest, upstreamPath } from './pass-through.ts';
import type { ForwardRequest } from './pass-through-proxy.ts';
import type { ClientExchange } from './pass-through-request.ts';
import type { Services } from './ports.ts';
import { relay } from './relay.ts';
import { unsealLocation } from './sealed-location.ts';
import { openSession } from './split-upload.ts';
import { createUploadDigests, type UploadDigests, type UploadObserver } from './upload-digests.ts';
import { type LimitedUpload, limitUpload } from './upload-limit.ts';
import { minChunkIn, observeUpload, receivedBefore, sessionAfter } from './upload-session.ts';

/**
 * The steps of a blob's upload: a POST that opens a session or mounts, PATCH and PUT with content, and questions about the
 * session. Bodies stream through, and their digest is taken on the way, so that a refusal can say what arrived.
 */
export async function upload(services: Services, uploads: Uploads, asked: Exchange): Promise<Answer> {
  const limited = limitUpload(uploads.sessions, asked);
  const { exchange } = limited;
  const repaired = repairRequest(withProgress(uploads.sessions, exchange));
  if ('status' in repaired) return repaired;
  const denied = await answerIfDenied(services, exchange, repaired.view);
  if (denied !== undefined) return denied;
  const outcome = { ...repaired, view: withoutDeniedMount(exchange, repaired.view) };
  const sent =
    outcome.splitUpload === undefined
      ? outcome.view
      : await openSession(services, uploads.sessions, exchange, outcome, outcome.splitUpload);
  if ('status' in sent) return sent;
  const observer = observeUpload(uploads.sessions, exchange, sent, limited.count);
  const forwarded = await sendStep(services, uploads, limited, sent, observer).catch((error: unknown) => {
    limited.remember(sent, observer);
    throw error;
  });
  return finish(services, uploads.sessions, exchange, forwarded, observer);
}

/** Giving an upload up puts nothing anywhere. */
async function answerIfDenied(
  services: Services,
  exchange: Exchange,
  { method, route, query }: RequestView,
): Promise<Answer | undefined> {
  if (!('repository' in route) || method === 'DELETE') return undefined;
  // A repair may have put the digest of the query elsewhere.
  const digests = [...digestsInQuery(exchange.request.query), ...digestsInQuery(query)];
  return answerDeniedPush(services, exchange, route.repository, { digests });
}

/** What the uploads of all clients share. */
export interface Uploads {
  readonly sessions: UploadDigests;
  readonly keepStart: () => KeptStart;
}

/**
 * The start of an upload that is kept in case that the registry does not take the body, and how much of all uploads. Until a
 * refusal is noticed, some MiB have left for the buffers of both machines.
 */
const KEPT_OF_EACH = 8 * 1024 * 1024;
const KEPT_OF_ALL = 8 * KEPT_OF_EACH;

export function createUploads(): Uploads {
  return { sessions: createUploadDigests(), keepStart: createStartKeeper(KEPT_OF_EACH, KEPT_OF_ALL) };
}

/** Tells the fixes how far the session is. */
function withProgress(uploads: UploadDigests, exchange: Exchange): Exchange {
  const before = receivedBefore(uploads, exchange, exchange.request);
  return before === undefined ? exchange : { ...exchange, request: { ...exchange.request, uploaded: before.size } };
}

function sendStep(
  services: Services,
  { keepStart }: Uploads,
  { exchange, count }: LimitedUpload,
  sent: RequestView,
  observer: UploadObserver | undefined,
): Promise<Forwarded> {
  const { request } = exchange;
  const send = (
    via: ClientExchange,
    view: RequestView,
    body: ForwardRequest['body'],
    observe?: ForwardRequest['observe'],
  ) =>
    forwardAuthorized(
      exchange,
      view,
      { ...destination(services, exchange, view), method: view.method, body, ...(observe && { observe }) },
      via,
    );
  if (observer === undefined || !request.hasBody) {
    const body = request.hasBody ? 'stream' : 'none';
    return orSessionInstead(exchange, sent, (view) => send(exchange, view, body, count));
  }
  const stream = (also: (piece: Uint8Array) => void) =>
    send(exchange, sent, 'stream', (piece) => {
      observer.observe(piece);
      also(piece);
    });
  return sendContent(services, exchange, sent, { stream, chunk: send, observer, keepStart });
}

/** The registry, or where a sealed upload location leads; there the client's credentials have no business. */
export function destination(
  services: Services,
  exchange: Exchange,
  sent: RequestView,
): { origin: string; path: string; headers: HeaderList } {
  const { upstream } = exchange.endpoint;
  const sealed =
    sent.route.kind === 'upload'
      ? unsealLocation(services.locationKey, sent.route.repository, sent.route.id)
      : undefined;
  if (sealed === undefined)
    return { origin: upstream.origin, path: upstreamPath(exchange, sent), headers: sent.headers };
  const url = new URL(sealed);
  const added = sent.query.replace(/^_state=sealed&?/, '');
  const query = joinQueries(url.search.slice(1), added);
  const headers = url.origin === upstream.origin ? sent.headers : withoutCredentials(sent.headers);
  return { origin: url.origin, path: withQuery(url.pathname, query), headers };
}

async function finish(
  services: Services,
  uploads: UploadDigests,
  exchange: Exchange,
  { sent, answer: forwarded }: Forwarded,
  observer: UploadObserver | undefined,
): Promise<Answer> {
  const whole = forwarded.sentWhole();
  const known = observer === undefined ? receivedBefore(uploads, exchange, sent) : observer.total();
  const received = whole ? known : undefined;
  const final = await orStoredBefore(exchange, sent, forwarded, received);
  const answer = await relay(services, exchange, sent, final, received);
  const opens = sent.route.kind === 'upload-start' && sent.method === 'POST';
  const next = whole ? sessionAfter(exchange, sent, answer, opens ? 0 : received?.size) : undefined;
  if (opens && next !== undefined) uploads.opened(next, minChunkIn(forwarded.headers));
  observer?.settle(next);
  return answer;
}

import { type HeaderList, withoutHeaders } from '../domain/headers.ts';
import type { RequestView } from '../fixes/fix.ts';
import type { Answer, Exchange } from './exchange.ts';
import { orStoredBefore } from './finished-upload.ts';
import { type Forwarded, orSessionInstead } from './mount-fallback.ts';
import { repairRequest, upstreamPath } from './pass-through.ts';
import { type ForwardedAnswer, forward } from './pass-through-proxy.ts';
import type { Services } from './ports.ts';
import { relay } from './relay.ts';
import { unsealLocation } from './sealed-location.ts';
import { openSession } from './split-upload.ts';
import type { UploadDigests, UploadObserver } from './upload-digests.ts';
import { observeUpload, receivedBefore, sessionAfter } from './upload-session.ts';

/**
 * The steps of a blob's upload: a POST that opens a session or mounts, PATCH and PUT with content, and questions about the
 * session. Bodies stream through, and their digest is taken on the way, so that a refusal can say what arrived.
 */
export async function upload(services: Services, uploads: UploadDigests, exchange: Exchange): Promise<Answer> {
  const outcome = repairRequest(withProgress(uploads, exchange));
  if ('status' in outcome) return outcome;
  const sent =
    outcome.splitUpload === undefined
      ? outcome.view
      : await openSession(services, exchange, outcome, outcome.splitUpload);
  if ('status' in sent) return sent;
  const observer = observeUpload(uploads, exchange, sent, outcome.splitUpload !== undefined);
  const send = (view: RequestView): Promise<ForwardedAnswer> => sendStep(services, exchange, view, observer);
  const forwarded = await orSessionInstead(exchange, { sent, answer: await send(sent) }, send);
  return finish(services, uploads, exchange, forwarded, observer);
}

/** Tells the fixes how far the session is. */
function withProgress(uploads: UploadDigests, exchange: Exchange): Exchange {
  const before = receivedBefore(uploads, exchange, exchange.request);
  return before === undefined ? exchange : { ...exchange, request: { ...exchange.request, uploaded: before.size } };
}

function sendStep(
  services: Services,
  exchange: Exchange,
  sent: RequestView,
  observer: UploadObserver | undefined,
): Promise<ForwardedAnswer> {
  const request = {
    ...destination(services, exchange, sent),
    method: sent.method,
    body: exchange.request.hasBody ? ('stream' as const) : ('none' as const),
    ...(observer === undefined ? {} : { observe: observer.observe }),
  };
  return forward(exchange, request, exchange.signal);
}

/** The registry, or where a sealed upload location leads; there the client's credentials have no business. */
function destination(
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
  const query = [url.search.slice(1), added].filter((part) => part !== '').join('&');
  const headers =
    url.origin === upstream.origin ? sent.headers : withoutHeaders(sent.headers, 'Authorization', 'Cookie');
  return { origin: url.origin, path: query === '' ? url.pathname : `${url.pathname}?${query}`, headers };
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
  if (opens && next !== undefined) uploads.opened(next);
  observer?.settle(next);
  return answer;
}

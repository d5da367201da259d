import { headerValue } from '../domain/headers.ts';
import type { RequestView } from '../fixes/fix.ts';
import type { Exchange } from './exchange.ts';
import type { UploadDigests, UploadObserver } from './upload-digests.ts';
import { receivedBefore, sessionKey } from './upload-session.ts';

/** One request of an upload that ends as soon as the blob is larger than the endpoint takes. */
export interface LimitedUpload {
  /** Its signal aborts with the error for the client. */
  readonly exchange: Exchange;
  /** Sees every piece of the body. */
  readonly count: ((piece: Uint8Array) => void) | undefined;
  /** Keeps in mind what came of a blob that is too large, so that the upload cannot go on with the next request. */
  remember(sent: RequestView, observer: UploadObserver | undefined): void;
}

const ADDS: ReadonlySet<string> = new Set(['POST', 'PATCH', 'PUT']);

/** @throws RegistryError 413 when what came before and what is announced is too large already */
export function limitUpload(uploads: UploadDigests, exchange: Exchange): LimitedUpload {
  const { allowance, request } = exchange;
  const limit = allowance?.upload;
  if (allowance === undefined || limit === undefined || !ADDS.has(request.method))
    return { exchange, count: undefined, remember: () => undefined };
  const before = receivedBefore(uploads, exchange, request)?.size ?? firstByteOf(request);
  const announced = before + Number(headerValue(request.headers, 'Content-Length') ?? 0);
  if (announced > limit) throw allowance.uploadTooLarge(before, announced);
  const tooLarge = new AbortController();
  let received = before;
  return {
    exchange: { ...exchange, signal: AbortSignal.any([exchange.signal, tooLarge.signal]) },
    count(piece) {
      received += piece.byteLength;
      if (received > limit && !tooLarge.signal.aborted) tooLarge.abort(allowance.uploadTooLarge(received));
    },
    remember({ route }, observer) {
      if (tooLarge.signal.aborted && route.kind === 'upload')
        observer?.settle(sessionKey(exchange, route.repository, route.id));
    },
  };
}

/** Where a chunk says that it begins, for uploads whose start did not pass through here. */
function firstByteOf({ headers }: RequestView): number {
  return Number(/^(?:bytes[ =])?(\d{1,15})-/.exec(headerValue(headers, 'Content-Range')?.trim() ?? '')?.[1] ?? 0);
}

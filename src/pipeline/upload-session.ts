import { type HeaderList, headerValue } from '../domain/headers.ts';
import type { RequestView } from '../fixes/fix.ts';
import type { Answer, Exchange } from './exchange.ts';
import type { UploadDigests, UploadObserver } from './upload-digests.ts';

/** Follows the body of a request that adds to an upload session. `also` sees every piece of it. */
export function observeUpload(
  uploads: UploadDigests,
  exchange: Exchange,
  { route, method }: RequestView,
  also?: (piece: Uint8Array) => void,
): UploadObserver | undefined {
  if (route.kind !== 'upload' || (method !== 'PATCH' && method !== 'PUT')) return undefined;
  const observer = uploads.observe(sessionKey(exchange, route.repository, route.id));
  if (also === undefined) return observer;
  return {
    ...observer,
    observe(piece) {
      observer.observe(piece);
      also(piece);
    },
  };
}

/** What a session got before this request, which adds nothing to it. */
export function receivedBefore(
  uploads: UploadDigests,
  exchange: Exchange,
  { route }: RequestView,
): ReturnType<UploadDigests['total']> {
  return route.kind === 'upload' ? uploads.total(sessionKey(exchange, route.repository, route.id)) : undefined;
}

/**
 * Under which key the next request of the client finds its session: each answer has a new Location, and some registries a
 * new id in it. Undefined when it is over, or when the registry has not taken all of the `size` bytes that it was sent.
 */
export function sessionAfter(
  exchange: Exchange,
  { route }: RequestView,
  { status, headers }: Answer,
  size: number | undefined,
): string | undefined {
  if (status !== 202 || size === undefined || !('repository' in route)) return undefined;
  const last = /-(\d+)$/.exec(headerValue(headers, 'Range') ?? '')?.[1];
  if (last !== undefined && Number(last) !== Math.max(0, size - 1)) return undefined;
  const id = /\/blobs\/uploads\/([^/?]+)/.exec(headerValue(headers, 'Location') ?? '')?.[1];
  return id === undefined ? undefined : sessionKey(exchange, route.repository, id);
}

/** Names a session among all that are known here. */
export function sessionKey(exchange: Exchange, repository: string, id: string): string {
  return JSON.stringify([exchange.endpoint.upstream.name, repository, id]);
}

/** The least size of a chunk that is not the last (distribution-spec, "Pushing a blob in chunks"); 0 when none is stated. */
export function minChunkIn(headers: HeaderList): number {
  const stated = headerValue(headers, 'OCI-Chunk-Min-Length')?.trim() ?? '';
  return /^\d{1,15}$/.test(stated) ? Number(stated) : 0;
}

import { Readable } from 'node:stream';
import type { Digest } from '../domain/digest.ts';
import { withHeader, withoutHeaders } from '../domain/headers.ts';
import { OCTET_STREAM } from '../domain/media-type.ts';
import { joinQueries, withQuery } from '../domain/query.ts';
import type { RepositoryName } from '../domain/reference.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { RequestView } from '../fixes/fix.ts';
import { portionsOf } from '../lib/portions.ts';
import { readHeaders } from './access.ts';
import type { Exchange } from './exchange.ts';
import { forwardAuthorized } from './forward-authorized.ts';
import type { BlobReader, Services, UpstreamResponse } from './ports.ts';
import { nextInSession } from './session-location.ts';
import { destination } from './upload.ts';
import { uploadInChunks } from './upload-chunks.ts';

/** S3 behind a registry wants parts of 5 MiB. */
const CHUNK = 8 * 1024 * 1024;

/**
 * Brings a blob to a repository: the registry mounts it from another one, or else it is pushed from the cache. The caller
 * may read it there: that was asked before.
 */
export async function fillBlob(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  from: RepositoryName,
  digest: Digest,
): Promise<boolean> {
  const mounted = await open(exchange, repository, `mount=${digest}&from=${from}`);
  if (mounted.status === 201) {
    mounted.body.destroy();
    return true;
  }
  // Clients push as soon as they have pulled, while the last bytes are still on their way to the disk.
  await services.blobs.fill(digest)?.finished.catch(() => false);
  const stored = await services.blobs.open(digest);
  if (stored === undefined) {
    mounted.body.destroy();
    return false;
  }
  try {
    const session = mounted.status === 202 ? mounted : await openAfter(mounted, exchange, repository);
    return session.status === 202 && (await push(services, exchange, repository, digest, session, stored.reader()));
  } finally {
    stored.close();
  }
}

function open(exchange: Exchange, repository: RepositoryName, query: string): Promise<UpstreamResponse> {
  const path = formatRoute({ kind: 'upload-start', repository, trailingSlash: true });
  return exchange.endpoint.upstream.request({
    method: 'POST',
    path: withQuery(path, query),
    headers: readHeaders(exchange.request.headers),
    body: new Uint8Array(),
    signal: exchange.signal,
  });
}

function openAfter(
  refused: UpstreamResponse,
  exchange: Exchange,
  repository: RepositoryName,
): Promise<UpstreamResponse> {
  refused.body.destroy();
  return open(exchange, repository, '');
}

async function push(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  digest: Digest,
  session: UpstreamResponse,
  reader: BlobReader,
): Promise<boolean> {
  const start: RequestView = {
    ...exchange.request,
    method: 'POST',
    route: { kind: 'upload-start', repository, trailingSlash: true },
    query: '',
    headers: withHeader(withoutHeaders(exchange.request.headers, 'Content-Length'), 'Content-Type', OCTET_STREAM),
  };
  const { route, query } = await nextInSession(services, exchange, start, session);
  const stored = Readable.from(piecesOf(reader));
  try {
    const { answer } = await uploadInChunks(services, exchange, {
      sent: { ...start, method: 'PUT', route, query: joinQueries(query, `digest=${digest}`) },
      portions: portionsOf(stored),
      offset: 0,
      size: CHUNK,
      smallest: CHUNK / 64,
      send: (via, view, body) =>
        forwardAuthorized(exchange, view, { ...destination(services, exchange, view), method: view.method, body }, via),
      onSmaller: () => undefined,
    });
    answer.body.destroy();
    return answer.status < 300;
  } finally {
    stored.destroy();
  }
}

/** A chunk of a reader is valid until the next one. */
async function* piecesOf(reader: BlobReader): AsyncGenerator<Uint8Array> {
  try {
    for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) yield Buffer.from(chunk);
  } finally {
    reader.close();
  }
}

import { withoutHeaders } from '../domain/headers.ts';
import { joinQueries, withQuery } from '../domain/query.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { RequestChange, RequestView } from '../fixes/fix.ts';
import type { RequestOutcome } from '../fixes/run.ts';
import { readHeaders } from './access.ts';
import type { Answer, Exchange } from './exchange.ts';
import type { Services } from './ports.ts';
import { readRefusal, relayRefusal } from './relay.ts';
import { nextInSession } from './session-location.ts';
import type { UploadDigests } from './upload-digests.ts';
import { minChunkIn, sessionKey } from './upload-session.ts';

/**
 * Opens an upload session for a POST that carries the whole blob, and gives back the PUT that its body belongs to; or
 * the registry's refusal. docker-registry answers such a POST with 202 and drops the body.
 */
export async function openSession(
  services: Services,
  uploads: UploadDigests,
  exchange: Exchange,
  { view }: RequestOutcome,
  split: NonNullable<RequestChange['splitUpload']>,
): Promise<RequestView | Answer> {
  const response = await exchange.endpoint.upstream.request({
    method: 'POST',
    path: withQuery(formatRoute(view.route), view.query),
    headers: readHeaders(view.headers),
    body: new Uint8Array(),
    signal: exchange.signal,
  });
  if (response.status >= 300) return relayRefusal(services, exchange, view, await readRefusal(response));
  const { route, query } = await nextInSession(services, exchange, view, response);
  if (route.kind === 'upload')
    uploads.opened(sessionKey(exchange, route.repository, route.id), minChunkIn(response.headers));
  return {
    ...view,
    method: 'PUT',
    route,
    query: joinQueries(query, `digest=${split.digest}`),
    headers: withoutHeaders(view.headers, 'Expect'),
  };
}

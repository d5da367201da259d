import { RegistryError } from '../domain/errors.ts';
import { headerValue, withoutHeaders } from '../domain/headers.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { RequestChange, RequestView } from '../fixes/fix.ts';
import type { RequestOutcome } from '../fixes/run.ts';
import { readHeaders } from './access.ts';
import type { Answer, Exchange } from './exchange.ts';
import type { Services } from './ports.ts';
import { readRefusal, relayRefusal } from './relay.ts';
import { sealLocation } from './sealed-location.ts';

/**
 * Opens an upload session for a POST that carries the whole blob, and gives back the PUT that its body belongs to; or
 * the registry's refusal. docker-registry answers such a POST with 202 and drops the body.
 */
export async function openSession(
  services: Services,
  exchange: Exchange,
  outcome: RequestOutcome,
  split: NonNullable<RequestChange['splitUpload']>,
): Promise<RequestView | Answer> {
  const { upstream } = exchange.endpoint;
  const { view } = outcome;
  const response = await upstream.request({
    method: 'POST',
    path: formatRoute(view.route) + (view.query === '' ? '' : `?${view.query}`),
    headers: readHeaders(view.headers),
    body: new Uint8Array(),
    signal: exchange.signal,
  });
  if (response.status !== 202) return relayRefusal(services, exchange, view, await readRefusal(response));
  response.body.destroy();
  const location = URL.parse(headerValue(response.headers, 'Location') ?? '//', upstream.origin);
  if (location === null || !('repository' in view.route)) throw sessionLost();
  const { repository } = view.route;
  const session =
    location.origin === upstream.origin ? location.href : sealLocation(services.locationKey, view.route, location.href);
  const [, id, query = ''] = SESSION.exec(session) ?? [];
  if (id === undefined) throw sessionLost();
  return {
    ...view,
    method: 'PUT',
    route: { kind: 'upload', repository, id },
    query: [query, `digest=${split.digest}`].filter((part) => part !== '').join('&'),
    headers: withoutHeaders(view.headers, 'Expect'),
  };
}

const SESSION = /\/blobs\/uploads\/([^/?#]+)(?:\?([^#]*))?$/;

function sessionLost(): RegistryError {
  return new RegistryError('BLOB_UPLOAD_INVALID', {
    status: 502,
    message: 'the registry opened an upload session without saying where',
    explanation:
      'Upload with two requests instead: POST to open the session, then PUT the content to the Location of its answer.',
    fix: 'single-post-monolithic',
  });
}

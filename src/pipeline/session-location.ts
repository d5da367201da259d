import { RegistryError } from '../domain/errors.ts';
import { headerValue } from '../domain/headers.ts';
import type { RequestView } from '../fixes/fix.ts';
import type { Exchange } from './exchange.ts';
import type { Services, UpstreamResponse } from './ports.ts';
import { relay } from './relay.ts';

/**
 * Where an upload goes on after a step that manifix took itself: the answer is repaired as for a client that would follow
 * its Location, and then followed.
 */
export async function nextInSession(
  services: Services,
  exchange: Exchange,
  sent: RequestView,
  response: Pick<UpstreamResponse, 'status' | 'headers' | 'body'>,
): Promise<Pick<RequestView, 'route' | 'query'>> {
  const { headers } = await relay(services, { ...exchange, request: sent, applied: [] }, sent, response);
  response.body.resume();
  const [, id, query = ''] = SESSION.exec(headerValue(headers, 'Location') ?? '') ?? [];
  if (id === undefined || !('repository' in sent.route)) throw sessionLost();
  return { route: { kind: 'upload', repository: sent.route.repository, id }, query };
}

const SESSION = /\/blobs\/uploads\/([^/?#]+)(?:\?([^#]*))?$/;

function sessionLost(): RegistryError {
  return new RegistryError('BLOB_UPLOAD_INVALID', {
    status: 502,
    message: 'the registry did not say where the upload goes on',
    explanation:
      'Its answer has no Location that leads to an upload session. The registry, or a proxy in front of it, has to be repaired.',
    fix: 'location-origin',
  });
}

import { RegistryError } from '../domain/errors.ts';
import { headerValues, withHeader } from '../domain/headers.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { Fix, ResponseView } from './fix.ts';
import { meansServer, parseLocation } from './location.ts';

const LOST_LOCATION = [
  'The registry, or a proxy in front of it, accepted the upload but did not say in a Location header where it goes on, so',
  'that nothing more can be sent. Trying again does not help: the registry or that proxy has to be repaired.',
].join(' ');

/**
 * Registries build Location from what they believe their address to be: an internal name, http behind TLS, a lost port.
 * Clients that follow it leave manifix, or drop their credentials on the way.
 */
export const locationOrigin: Fix = {
  id: 'location-origin',
  title: 'Location leads back through manifix, exactly once and as an absolute URL',
  symptom: '`blob upload unknown`, 401 or `no Location header in response` in the middle of a push',
  defaultMode: 'on',
  digest: 'unchanged',
  response: (view) => {
    const locations = headerValues(view.headers, 'Location');
    const location = locations.find((value) => value !== '');
    if (location === undefined) return goesOn(view) ? lostLocation() : undefined;
    const corrected = locationForClient(view, location);
    if (corrected === location && locations.length === 1) return undefined;
    return {
      note: corrected === location ? 'kept one Location' : 'Location leads back through manifix',
      headers: withHeader(view.headers, 'Location', corrected),
    };
  },
};

function lostLocation() {
  const refuse = new RegistryError('UNKNOWN', {
    status: 502,
    message: 'upstream returned no Location for an upload',
    explanation: LOST_LOCATION,
    fix: 'location-origin',
  });
  return { note: 'refused an upload without Location', refuse };
}

/** Whether the client cannot send its next request without the Location of this answer. */
function goesOn({ request, status }: ResponseView): boolean {
  if (status !== 202) return false;
  const { method, route } = request;
  return (method === 'POST' && route.kind === 'upload-start') || (method === 'PATCH' && route.kind === 'upload');
}

function locationForClient(view: ResponseView, location: string): string {
  const { clientOrigin, upstreamOrigin } = view;
  const { scheme, authority, path } = parseLocation(location, upstreamOrigin, formatRoute(view.sent.route));
  if (scheme !== 'http' && scheme !== 'https') return location;
  const origin =
    authority === undefined || meansServer(authority, clientOrigin) ? upstreamOrigin : `${scheme}://${authority}`;
  const isRegistry = origin === upstreamOrigin || meansServer(`${authority}`, upstreamOrigin);
  if (isRegistry ? path.startsWith('/v2/') : isInternalName(view, path)) return `${clientOrigin}${path}`;
  return leadsToSession(view) ? `${clientOrigin}${view.sealLocation(`${origin}${path}`)}` : location;
}

/**
 * A path of the same repository on another host is the registry under a name that only it knows. A redirect is not:
 * it says that the content is elsewhere.
 */
function isInternalName({ sent, status }: ResponseView, path: string): boolean {
  return status < 300 && 'repository' in sent.route && path.startsWith(`/v2/${sent.route.repository}/`);
}

/** When a POST or PUT is answered with 201, the upload is over and Location names what was stored; ECR says so of a PATCH. */
function leadsToSession({ request, status }: ResponseView): boolean {
  const { method, route } = request;
  return (route.kind === 'upload' || route.kind === 'upload-start') && (status !== 201 || method === 'PATCH');
}

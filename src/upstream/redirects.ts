import { withoutCredentials } from '../domain/credentials.ts';
import { RegistryError } from '../domain/errors.ts';
import { headerValue, withoutHeaders } from '../domain/headers.ts';
import { isRedirectStatus, MAX_REDIRECTS } from '../domain/redirect.ts';
import type { Hop, HopAnswer } from './send.ts';

/** Whether an answer tells to look elsewhere, for a method that may be repeated there. */
export function isRedirect(method: string, { status }: HopAnswer): boolean {
  return (method === 'GET' || method === 'HEAD') && isRedirectStatus(status);
}

/** By these statuses storage refuses a HEAD whose URL was signed for GET: S3 and GCS by 403. */
const HEAD_REFUSED: ReadonlySet<number> = new Set([400, 403, 405, 501]);

/** Whether a server refused a HEAD that it might answer as a GET. */
export function refusesHead(method: string, { status }: HopAnswer): boolean {
  return method === 'HEAD' && HEAD_REFUSED.has(status);
}

/** Whether this redirect is one of those that are to be followed. */
export function mayFollow(redirects: 'follow' | 'own' | 'pass', hop: Hop, answer: HopAnswer): boolean {
  if (redirects !== 'own') return redirects === 'follow';
  const url = URL.parse(headerValue(answer.headers, 'location') ?? '', hop.origin + hop.path);
  return url !== null && (url.origin === hop.origin || lostItsScheme(hop, url));
}

/** A registry behind TLS that it does not know of redirects to itself by http, and perhaps without its port. */
function lostItsScheme(hop: Hop, url: URL): boolean {
  const own = new URL(hop.origin);
  return own.protocol === 'https:' && url.protocol === 'http:' && url.hostname === own.hostname && isOwnPort(own, url);
}

function isOwnPort(own: URL, { port }: URL): boolean {
  return port === '' || port === own.port;
}

/**
 * The request that a redirect asks for. Credentials belong to the origin they were sent to (CVE-2020-15157): a change of
 * scheme, host or port drops them, and nothing later in the chain gets them back.
 * @param who the registry as the subject of a sentence
 * @param allowsHost whether the registry may lead to this host
 * @throws RegistryError for a Location that is missing, no URL, not http(s), a step down from https, or a host not allowed
 */
export function redirectTarget(
  who: string,
  hop: Hop,
  answer: HopAnswer,
  allowsHost: (hostname: string) => boolean,
): Hop {
  const location = headerValue(answer.headers, 'location');
  const url = location === undefined ? null : URL.parse(location, hop.origin + hop.path);
  if (url === null) {
    throw badRedirect(`${who} answered ${answer.status} without a Location that is a URL, so nobody can follow it.`);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw badRedirect(`${who} redirected to a ${url.protocol} URL; manifix follows only http: and https:.`);
  }
  if (lostItsScheme(hop, url)) return { ...hop, path: url.pathname + url.search };
  if (hop.origin.startsWith('https:') && url.protocol === 'http:') {
    throw badRedirect(
      `${who} redirected from https to ${url.origin}, which would give up encryption; this is refused.`,
    );
  }
  if (!allowsHost(url.hostname)) {
    throw badRedirect(
      `${who} redirected to the internal address ${url.hostname}, which a registry on the internet has no business with. ` +
        'If it is right, add the host to redirects of this upstream.',
    );
  }
  const sameOrigin = url.origin === hop.origin;
  return {
    ...hop,
    origin: url.origin,
    path: url.pathname + url.search,
    headers: sameOrigin ? hop.headers : withoutHeaders(withoutCredentials(hop.headers), 'Proxy-Authorization'),
  };
}

/** The end of a chain that is too long. */
export function tooManyRedirects(who: string, last: Hop): RegistryError {
  return badRedirect(
    `${who} redirected more than ${MAX_REDIRECTS} times, at last from ${last.origin}; it probably redirects in a circle.`,
  );
}

function badRedirect(explanation: string): RegistryError {
  return new RegistryError('UNAVAILABLE', {
    status: 502,
    message: 'the registry redirected to a place that cannot be followed',
    explanation,
    fix: 'redirect-auth-leak-400',
  });
}

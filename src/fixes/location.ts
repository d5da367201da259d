/** A URL reference in three parts, no byte of the path and query touched. */
export interface Location {
  /** Lower-case, without the colon. */
  readonly scheme: string;
  /** `user@host:port` as written; absent when the reference is relative. */
  readonly authority?: string;
  /** From `/` on, with the query. */
  readonly path: string;
}

/** With or without a scheme. docker-registry makes a list of X-Forwarded-Proto's: `https,http://host/v2/...`. */
const WITH_AUTHORITY = /^(?:([a-z][a-z0-9+.-]*)[a-z0-9+., -]*:)?\/\/([^/?#]*)(.*)$/is;

/**
 * Splits a Location. What it lacks comes from the request: the registry's origin and, as base of a relative reference, its
 * path (RFC 3986, section 5.2, but dots stay for the client to resolve). Of a list of schemes the first counts.
 */
export function parseLocation(location: string, origin: string, requestPath: string): Location {
  const ownScheme = origin.slice(0, origin.indexOf(':'));
  const [, scheme, authority, rest] = WITH_AUTHORITY.exec(location) ?? [];
  if (authority === undefined) return { scheme: ownScheme, path: resolvePath(location, requestPath) };
  const path = `${rest}`;
  return { scheme: (scheme ?? ownScheme).toLowerCase(), authority, path: path.startsWith('/') ? path : `/${path}` };
}

function resolvePath(location: string, requestPath: string): string {
  if (location.startsWith('/')) return location;
  if (location.startsWith('?')) return `${requestPath}${location}`;
  return `${requestPath.slice(0, requestPath.lastIndexOf('/') + 1)}${location}`;
}

/**
 * Whether a URL means the server of an origin (`scheme://host:port`), even if it has the other scheme or lost the port:
 * registries behind proxies know neither.
 */
export function meansServer(authority: string, origin: string): boolean {
  const named = hostAndPort(authority);
  const own = hostAndPort(origin.slice(origin.indexOf('://') + 3));
  return named.host === own.host && (named.port === '' || named.port === own.port);
}

/** The host in lower case and the port, empty when it is absent or one that a scheme implies. */
function hostAndPort(authority: string): { readonly host: string; readonly port: string } {
  const address = authority.slice(authority.lastIndexOf('@') + 1).toLowerCase();
  const port = /:(\d*)$/.exec(address)?.[1];
  if (port === undefined) return { host: address, port: '' };
  return { host: address.slice(0, -port.length - 1), port: port === '80' || port === '443' ? '' : port };
}

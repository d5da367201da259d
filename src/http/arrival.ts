import type { IncomingMessage } from 'node:http';
import { RegistryError } from '../domain/errors.ts';
import { type HeaderList, headerValues } from '../domain/headers.ts';
import { formatHostPort } from '../lib/address.ts';
import { clientOrigin, type TrustCheck } from './client.ts';
import { credentialsInUrl } from './credentials-in-url.ts';
import type { EndpointRoutes, Reached } from './endpoint-routes.ts';
import type { Target } from './routes.ts';
import { namespaceOf } from './upstream-target.ts';

/** Where a request came in, before it is known who sent it. */
export interface Arrival {
  readonly reached: Reached;
  readonly method: string;
  /** In the client's names. */
  readonly asked: Target;
  readonly clientOrigin: string;
}

/** What a gate of manifix knows of all requests. */
export interface Gate {
  readonly endpoints: EndpointRoutes;
  readonly trusts: TrustCheck;
}

/**
 * Finds the endpoint of a request.
 * @throws RegistryError
 */
export function arrive(gate: Gate, incoming: IncomingMessage, headers: HeaderList, asked: Target): Arrival {
  const { method = 'GET' } = incoming;
  const host = hostOf(incoming, headers);
  const reached = gate.endpoints.reach(host.toLowerCase(), asked.route, namespaceOf(asked.query));
  return { reached, method, asked, clientOrigin: clientOrigin(incoming, headers, host, gate.trusts) };
}

// RFC 9110, section 7.2, and RFC 3986, section 3.2: a name, an IPv4 or a bracketed IPv6 address, and a port.
const HOST = /^(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?$/;

/**
 * RFC 9112, section 3.2: a request without exactly one valid Host is answered 400. HTTP/1.0 has none, and old health checks
 * speak it; they mean the address that they reached.
 */
export function hostOf({ httpVersion, socket }: IncomingMessage, headers: HeaderList): string {
  const [host, ...others] = headerValues(headers, 'Host');
  if (host === undefined && httpVersion === '1.0') {
    return formatHostPort({ host: socket.localAddress ?? '', port: socket.localPort ?? 0 });
  }
  if (host !== undefined && others.length === 0 && HOST.test(host)) return host;
  if (host?.includes('@') === true) throw credentialsInUrl();
  throw new RegistryError('UNSUPPORTED', { status: 400, message: 'the Host field is missing or malformed' });
}

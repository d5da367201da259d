import type { IncomingMessage } from 'node:http';
import { RegistryError } from '../domain/errors.ts';
import { type HeaderList, headerValues } from '../domain/headers.ts';
import type { RequestNames } from '../domain/repository-names.ts';
import { formatHostPort } from '../lib/address.ts';
import type { Answer, Endpoint, Exchange } from '../pipeline/exchange.ts';
import { admit } from './admission.ts';
import { clientOrigin, type TrustCheck } from './client.ts';
import { answerForClient } from './client-answer.ts';
import type { Cursors } from './cursors.ts';
import type { EndpointRoutes } from './endpoint-routes.ts';
import type { Target } from './routes.ts';
import { namespaceOf, upstreamTarget } from './upstream-target.ts';

/** The way of one request through an endpoint, and of its answer back. */
export interface Passage {
  readonly endpoint: Endpoint;
  /** `http://host:port` as the client sees manifix. */
  readonly clientOrigin: string;
  /** In the upstream's names. */
  readonly target: Target;
  /** Puts an answer into the client's names. */
  back(answer: Answer): Promise<Answer>;
}

export interface Gate {
  readonly endpoints: EndpointRoutes;
  readonly cursors: Cursors;
  readonly trusts: TrustCheck;
}

/**
 * Finds the endpoint of a request and translates its target. From here on there are only the upstream's names; what the
 * endpoint does not let through is refused here.
 * @throws RegistryError
 */
export function openPassage(
  { endpoints, cursors, trusts }: Gate,
  incoming: IncomingMessage,
  headers: HeaderList,
  asked: Target,
  applied: Exchange['applied'],
): Passage {
  const { method = 'GET' } = incoming;
  const host = hostOf(incoming, headers);
  const reached = endpoints.reach(host.toLowerCase(), asked.route, namespaceOf(asked.query));
  const { endpoint } = reached;
  const { names, ...target } = upstreamTarget(reached, method, asked, cursors);
  admit(endpoint, method, target.route, names);
  reportLibraryPrefix(endpoint, names, applied);
  const origin = clientOrigin(incoming, headers, host, trusts);
  const request = { reached, method, route: target.route, names, clientOrigin: origin, cursors };
  return { endpoint, clientOrigin: origin, target, back: (answer) => answerForClient(request, answer) };
}

/** Notes that a name of one component became one of the library, or would have. */
function reportLibraryPrefix(endpoint: Endpoint, { prefix, asked }: RequestNames, applied: Exchange['applied']): void {
  const mode = endpoint.libraryPrefix;
  if (mode === 'off' || asked === undefined || asked.client.slice(prefix.length).includes('/')) return;
  applied.push({ id: 'library-prefix', mode, note: 'a name of one component means an official image below library/' });
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
  throw new RegistryError('UNSUPPORTED', { status: 400, message: 'the Host field is missing or malformed' });
}

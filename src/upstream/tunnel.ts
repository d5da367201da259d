import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { Socket } from 'node:net';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import { basicAuthorization } from '../domain/credentials.ts';
import { type HttpProxy, ProxyFailure } from '../domain/http-proxy.ts';
import { isIpHost } from '../domain/internal-address.ts';
import { codedError } from '../domain/unavailable.ts';
import { notAllowed } from './address-check.ts';

/** Opens a connection to an origin that is ready for requests: with TLS, where the origin has it. */
export type OpenConnection = (origin: string) => Promise<Socket>;

export interface TunnelOptions {
  readonly proxy: HttpProxy;
  /** For the whole way, in milliseconds: to the proxy, to the origin, TLS. */
  readonly timeout: number;
  /** Undefined where Node's own context will do. */
  readonly contextFor: (origin: string) => SecureContext | undefined;
  /** Names are resolved by the proxy, so that a host can be judged by what it is called only. */
  readonly allowsHost: (hostname: string) => boolean;
}

/**
 * Connections through a proxy (CONNECT: RFC 9110, section 9.3.6), to http origins, too: what then comes is the origin's own word, and
 * no answer of the proxy can be taken for one. Rejects with a ProxyFailure when the proxy is in the way, else with Node's error.
 */
export function createTunnels({ proxy, timeout, contextFor, allowsHost }: TunnelOptions): OpenConnection {
  return async (origin) => {
    const { protocol, hostname, port } = new URL(origin);
    if (!allowsHost(hostname)) throw notAllowed(`${hostname} is an internal host`);
    const isSecure = protocol === 'https:';
    const deadline = AbortSignal.timeout(timeout);
    const target = `${hostname}:${port === '' ? (isSecure ? 443 : 80) : port}`;
    const socket = await askProxy(proxy, target, contextFor(proxy.origin), deadline);
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_DELAY);
    return isSecure ? encrypted(socket, hostname, contextFor(origin), deadline) : socket;
  };
}

/** As undici has it for its own connections. */
const KEEP_ALIVE_DELAY = 60_000;

function askProxy(
  proxy: HttpProxy,
  target: string,
  secureContext: SecureContext | undefined,
  deadline: AbortSignal,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const { protocol, hostname, port } = new URL(proxy.origin);
  const { login } = proxy;
  const request = (protocol === 'https:' ? secureRequest : plainRequest)({
    hostname: withoutBrackets(hostname),
    port,
    // Node would take the name of the origin from Host.
    servername: serverName(hostname),
    method: 'CONNECT',
    path: target,
    headers: {
      Host: target,
      ...(login && { 'Proxy-Authorization': basicAuthorization(login.username, login.password) }),
    },
    // `Connection: close` would be about the tunnel.
    setDefaultHeaders: false,
    agent: false,
    signal: deadline,
    ...(secureContext && { secureContext }),
  });
  request.once('connect', ({ statusCode: status = 0 }, socket: Socket, head) => {
    if (status >= 200 && status < 300) {
      if (head.length > 0) socket.unshift(head);
      return resolve(socket);
    }
    socket.destroy();
    return reject(new ProxyFailure(proxy, { refusal: { status, target, loggedIn: login !== undefined } }));
  });
  request.once('error', (error) =>
    reject(new ProxyFailure(proxy, { cause: deadline.aborted ? late('ETIMEDOUT') : error })),
  );
  request.end();
  return promise;
}

function encrypted(
  socket: Socket,
  hostname: string,
  secureContext: SecureContext | undefined,
  deadline: AbortSignal,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const secure = connectTls({
    socket,
    host: withoutBrackets(hostname),
    servername: serverName(hostname),
    ALPNProtocols: ['http/1.1'],
    ...(secureContext && { secureContext }),
  });
  const end = () => secure.destroy(late('ECONNECT_TIMEOUT'));
  deadline.addEventListener('abort', end, { once: true });
  secure.once('close', () => deadline.removeEventListener('abort', end));
  secure.once('error', reject);
  secure.once('secureConnect', () => {
    deadline.removeEventListener('abort', end);
    secure.off('error', reject);
    resolve(secure);
  });
  return promise;
}

/** RFC 6066, section 3: an address is no server name. */
function serverName(hostname: string): string {
  return isIpHost(hostname) ? '' : hostname;
}

function withoutBrackets(hostname: string): string {
  return hostname.replaceAll(/[[\]]/g, '');
}

function late(code: 'ETIMEDOUT' | 'ECONNECT_TIMEOUT'): Error {
  return codedError(code, 'the time for the connection is over');
}

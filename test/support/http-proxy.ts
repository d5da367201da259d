import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { listenOnLoopback } from './ports.ts';

interface HttpProxyOptions {
  /** Where connections really go, by the `host:port` that was asked for; others are answered 502. */
  readonly routes: Readonly<Record<string, string>>;
  /** Lets in who comes with this in `Proxy-Authorization` only. */
  readonly authorization?: string;
  /** Speaks TLS with this certificate, in PEM. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

/** A request for a connection. */
export interface TunnelRequest {
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

/** A proxy that knows names which nobody else does, so that whatever arrives came through it. */
export interface TestProxy extends AsyncDisposable {
  readonly url: string;
  readonly tunnels: readonly TunnelRequest[];
  /** Requests that were sent to it instead of through it. */
  readonly others: readonly string[];
  /** Set: what it answers to everything, or that it does not answer. */
  broken: 'silent' | number | undefined;
}

export async function startHttpProxy({ routes, authorization, tls }: HttpProxyOptions): Promise<TestProxy> {
  const tunnels: TunnelRequest[] = [];
  const others: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server =
    tls === undefined ? createServer() : createSecureServer({ cert: tls.certificate, key: tls.key });
  server.on('request', (incoming, outgoing) => {
    others.push(`${incoming.method} ${incoming.url}`);
    outgoing.writeHead(501).end();
  });
  server.on('connection', (socket: Socket) => keep(socket));
  server.on(
    'connect',
    ({ url: target = '', headers }: { url?: string; headers: IncomingHttpHeaders }, socket: Socket) => {
      keep(socket);
      tunnels.push({ target, headers });
      const route = routes[target];
      if (proxy.broken === 'silent') return;
      const status = proxy.broken ?? refusalOf(headers, route);
      if (status !== undefined || route === undefined) {
        refuse(socket, status);
        return;
      }
      const [host, port] = route.split(':');
      const there = keep(connect(Number(port), host));
      there.once('error', () => refuse(socket, 502));
      there.once('connect', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        socket.pipe(there).pipe(socket);
      });
    },
  );
  const refusalOf = (headers: IncomingHttpHeaders, route: string | undefined): number | undefined => {
    if (authorization !== undefined && headers['proxy-authorization'] !== authorization) return 407;
    return route === undefined ? 502 : undefined;
  };
  function keep(socket: Socket): Socket {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    return socket.once('close', () => sockets.delete(socket));
  }
  const port = await listenOnLoopback(server);
  const proxy: TestProxy = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    tunnels,
    others,
    broken: undefined,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
  return proxy;
}

function refuse(socket: Socket, status: number | undefined): void {
  socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 6\r\n\r\nsecret`);
}

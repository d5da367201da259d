import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import type { ServerTls } from '../lib/certificate.ts';
import { noteCertificate } from './client-certificate.ts';
import { type Connections, createConnections, type EdgeServer, tooManyConnections } from './connections.ts';
import { type Edge, handle, handleReady } from './handle.ts';
import { refuseConnection, refuseExpectation, refuseRequest, refuseTunnel } from './refuse.ts';

const OPTIONS = {
  // A layer may take an hour to upload; the pass-through ends what stalls.
  requestTimeout: 0,
  headersTimeout: 15_000,
  connectionsCheckingInterval: 5_000,
  // Longer than the idle time of common load balancers, which would otherwise hit a closing connection.
  keepAliveTimeout: 65_000,
  // Bearer tokens with many scopes and upload state outgrow the usual 16 KiB.
  maxHeaderSize: 64 * 1024,
  // Node would answer without a body; handle() explains it.
  requireHostHeader: false,
};
/** Half-open handshakes must not hold a connection for long. */
const HANDSHAKE_TIMEOUT = 15_000;

/**
 * The HTTP server that clients talk to, over TLS when there is a certificate. `edge` is asked anew for every request, so that
 * a reload takes effect with the next one and leaves running ones alone.
 */
export function createEdgeServer(
  edge: () => Edge,
  connections: Connections = createConnections(),
  tls?: ServerTls,
): EdgeServer {
  const app = new Hono<{ Bindings: HttpBindings }>();
  const nextId = requestIds();
  const serve = (incoming: IncomingMessage, outgoing: ServerResponse) => handle(edge(), nextId(), incoming, outgoing);
  app.all('*', async (context) => {
    // The parameter types are those of HTTP/1 and HTTP/2 alike; this server speaks HTTP/1 only.
    const { incoming, outgoing } = context.env as { incoming: IncomingMessage; outgoing: ServerResponse };
    await serve(incoming, outgoing);
    return RESPONSE_ALREADY_SENT;
  });
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    // Not a line of the log each: it is a flood that brings them.
    if (connections.isRefused(incoming.socket)) return refuseRequest(incoming, outgoing, tooManyConnections());
    if (handleReady(edge(), nextId, incoming, outgoing)) return;
    // The adapter fails where it cannot make a URL of a request; that one, too, deserves its answer and its log line.
    const errorHandler = () => serve(incoming, outgoing);
    void getRequestListener(app.fetch, { overrideGlobalObjects: false, errorHandler })(incoming, outgoing);
  };
  const server = tls === undefined ? createServer(OPTIONS, listener) : createTlsServer(tls, listener);
  connections.guard(server);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // What follows a request that was to be the last is ignored (RFC 9112, section 9.6); that one still gets its answer.
    if (error.code === 'HPE_CLOSED_CONNECTION' && connections.isAnswerDue(socket)) return;
    // Words in the middle of an answer would be taken for a part of it.
    if (connections.isAnswering(socket)) socket.destroy();
    else refuseConnection(error, socket);
  });
  server.on('connect', (_incoming, socket) => refuseTunnel(socket));
  server.on('checkExpectation', refuseExpectation);
  return server;
}

/** Clients may show a certificate where there are authorities for it; whether they have to, each endpoint decides. */
function createTlsServer(tls: ServerTls, listener: RequestListener): SecureServer {
  const asks = { requestCert: asksForCertificate(tls), rejectUnauthorized: false };
  const server = createSecureServer({ ...OPTIONS, ...tls, ...asks, handshakeTimeout: HANDSHAKE_TIMEOUT }, listener);
  return server.on('secureConnection', noteCertificate);
}

/** Takes another certificate, and other authorities or none, into use for new connections. */
export function replaceTls(server: SecureServer, tls: ServerTls): void {
  server.setSecureContext(tls);
  // Node reads this member for each new connection, and has no function that sets it.
  Object.assign(server, { requestCert: asksForCertificate(tls) });
}

function asksForCertificate({ ca }: ServerTls): boolean {
  return ca !== undefined;
}

/** Ids that are unique across restarts and cheap: a random part for the process and a count. */
function requestIds(): () => string {
  const process = randomBytes(6).toString('base64url');
  let count = 0;
  return () => {
    count += 1;
    return `${process}-${count.toString(36)}`;
  };
}

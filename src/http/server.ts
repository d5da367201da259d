import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { RegistryError, renderError } from '../domain/errors.ts';
import type { Certificate } from '../lib/certificate.ts';
import { type Connections, createConnections, type EdgeServer, tooManyConnections } from './connections.ts';
import { type Edge, handle, handleReady } from './handle.ts';
import { answerError, respond } from './respond.ts';

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
  certificate?: Certificate,
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
    if (connections.isRefused(incoming.socket)) return turnAway(incoming, outgoing);
    if (handleReady(edge(), nextId, incoming, outgoing)) return;
    // The adapter fails where it cannot make a URL of a request; that one, too, deserves its answer and its log line.
    const errorHandler = () => serve(incoming, outgoing);
    void getRequestListener(app.fetch, { overrideGlobalObjects: false, errorHandler })(incoming, outgoing);
  };
  const server =
    certificate === undefined
      ? createServer(OPTIONS, listener)
      : createSecureServer({ ...OPTIONS, ...certificate, handshakeTimeout: HANDSHAKE_TIMEOUT }, listener);
  connections.guard(server);
  server.on('clientError', (error, socket) => {
    // Words in the middle of an answer would be taken for a part of it.
    if (connections.isAnswering(socket)) socket.destroy();
    else refuseConnection(error, socket);
  });
  return server;
}

/** Tells a client to come back. Not a line of the log each: it is a flood that brings them. */
function turnAway({ method = 'GET' }: IncomingMessage, outgoing: ServerResponse): void {
  const { status, headers, body } = answerError(tooManyConnections(), method);
  // A client that does not wait for it need not be told.
  respond(outgoing, status, headers, body).catch(() => undefined);
}

/** How long a connection that was refused may stay open for its answer, in milliseconds. */
const LINGER = 2_000;

/** Ids that are unique across restarts and cheap: a random part for the process and a count. */
function requestIds(): () => string {
  const process = randomBytes(6).toString('base64url');
  let count = 0;
  return () => {
    count += 1;
    return `${process}-${count.toString(36)}`;
  };
}

/**
 * Answers what is not HTTP. It has to be an answer: docker probes a plain port with TLS first and falls back to HTTP
 * only when it gets HTTP back.
 */
function refuseConnection(cause: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || cause.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const tooLarge = cause.code === 'HPE_HEADER_OVERFLOW';
  const tooSlow = cause.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const status = tooLarge ? '431 Request Header Fields Too Large' : tooSlow ? '408 Request Timeout' : '400 Bad Request';
  const message = tooLarge ? 'the header fields are larger than 64 KiB' : 'the request is not well-formed HTTP/1.1';
  const body = renderError(
    new RegistryError('UNSUPPORTED', { message: tooSlow ? 'the request did not arrive in time' : message }),
  );
  // Closing at once would reset the connection under an answer that is still on its way.
  setTimeout(() => socket.destroy(), LINGER).unref();
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

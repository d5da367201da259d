import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { RegistryError, renderError } from '../domain/errors.ts';
import { answerError, respond } from './respond.ts';

/** How long a connection that was refused may stay open for its answer, in milliseconds. */
const LINGER = 2_000;

/**
 * Answers what is not HTTP. It has to be an answer: docker probes a plain port with TLS first and falls back to HTTP
 * only when it gets HTTP back.
 */
export function refuseConnection(cause: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || cause.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const tooLarge = cause.code === 'HPE_HEADER_OVERFLOW';
  const tooSlow = cause.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const message = tooLarge ? 'the header fields are larger than 64 KiB' : 'the request is not well-formed HTTP/1.1';
  refuse(
    socket,
    new RegistryError('UNSUPPORTED', {
      status: tooLarge ? 431 : tooSlow ? 408 : 400,
      message: tooSlow ? 'the request did not arrive in time' : message,
    }),
  );
}

/** Answers CONNECT, for which Node would close the connection without a word. */
export function refuseTunnel(socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  refuse(socket, new RegistryError('UNSUPPORTED', { explanation: 'Registries have no use for CONNECT.' }));
}

/** Answers an expectation that nobody knows (RFC 9110, section 10.1.1), for which Node would send no body. */
export function refuseExpectation(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const error = new RegistryError('UNSUPPORTED', {
    status: 417,
    message: 'the expectation is not known',
    explanation: 'The only expectation that HTTP knows is 100-continue.',
    headers: [['Connection', 'close']],
  });
  refuseRequest(incoming, outgoing, error);
}

/** Answers a request that gets no further than here. */
export function refuseRequest(
  { method = 'GET' }: IncomingMessage,
  outgoing: ServerResponse,
  error: RegistryError,
): void {
  const { status, headers, body } = answerError(error, method);
  // A client that does not wait for it need not be told.
  respond(outgoing, status, headers, body).catch(() => undefined);
}

function refuse(socket: Duplex, error: RegistryError): void {
  const body = renderError(error);
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  // Closing at once would reset the connection under an answer that is still on its way.
  setTimeout(() => socket.destroy(), LINGER).unref();
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

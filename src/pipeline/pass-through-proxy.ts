import type { ClientRequest, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { type HeaderList, headerListFromRaw } from '../domain/headers.ts';
import { codedError, unavailable } from '../domain/unavailable.ts';
import { type ClientExchange, type ProxyRequest, startProxyRequest } from './pass-through-request.ts';

export interface ForwardRequest extends ProxyRequest {
  /** Sees every chunk of the body, as it comes. */
  readonly observe?: (chunk: Uint8Array) => void;
  /** How long there may be no byte in either direction, in milliseconds, before the answer and during it. The whole has no limit. */
  readonly idle: { readonly before: number; readonly during: number };
}

export interface ForwardedAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  /** Whoever gets it reads it to its end or destroys it. Errors when the answer breaks off. */
  readonly body: Readable;
  /** False while the registry has answered a body that it has not yet been given whole. */
  sentWhole(): boolean;
  /** Stops sending the client's body, so that the rest can be read from the client's request. Only before `body` is read. */
  reclaimRest(): void;
}

/**
 * Sends the client's request to a registry and resolves with the answer as it begins, also when the client is still
 * sending. The body streams with back-pressure. A client that goes away takes the registry's connection with it. When no
 * more of the client's body is wanted, the rest is read and dropped, so that the client gets to its answer.
 * Rejects with a RegistryError UNAVAILABLE (502, 504) without an answer or for a host that is not allowed, with the signal's
 * reason when aborted, and with an AbortError when the client is gone.
 */
export function forward(
  exchange: ClientExchange,
  request: ForwardRequest,
  signal?: AbortSignal,
): Promise<ForwardedAnswer> {
  const { observe, idle } = request;
  const { promise, resolve, reject } = Promise.withResolvers<ForwardedAnswer>();
  if (signal?.aborted) return Promise.reject(signal.reason);
  if (exchange.outgoing.destroyed) return Promise.reject(clientGone());
  const who = `The registry at ${request.origin}`;
  if (!request.addresses.allowsHost(new URL(request.origin).hostname)) {
    return Promise.reject(unavailable(who, codedError('INTERNAL_ADDRESS', 'the host is an internal address')));
  }
  const source = bodySource(exchange.incoming, request.body);
  let sent: ClientRequest | undefined;
  let answer: IncomingMessage | undefined;
  let reclaimed = false;
  let stopped = false;

  function abort(): void {
    stop(signal?.reason);
  }
  /** Ends what is still going on; before the answer, the caller learns why. */
  function stop(error: Error): void {
    stopped = true;
    reject(error);
    if (answer?.complete === false) answer.destroy(error);
    sent?.destroy(error);
    release();
  }
  function release(): void {
    signal?.removeEventListener('abort', abort);
    if (sent !== undefined) source.unpipe(sent);
    if (!reclaimed) source.resume();
  }
  function sending(clientRequest: ClientRequest): void {
    sent = clientRequest;
    // A connection through a proxy may take longer than anybody waits for it.
    if (stopped) return void sent.destroy();
    // Node reports a switch of protocols that nobody asked for by closing the request, and nothing else.
    sent.once('close', () => failed(codedError('ECONNRESET', 'the connection was closed without an answer')));
    sent.setTimeout(idle.before);
    sent.on('timeout', () =>
      stop(unavailable(who, codedError('ETIMEDOUT', 'no byte in either direction for too long'))),
    );
  }
  function answered(response: IncomingMessage): void {
    answer = response;
    sent?.setTimeout(idle.during);
    response.once('close', () => {
      release();
      sent?.destroy();
    });
    resolve({
      status: response.statusCode ?? 0,
      headers: headerListFromRaw(response.rawHeaders),
      body: response,
      sentWhole: () => sent?.writableEnded === true,
      reclaimRest() {
        reclaimed = true;
        if (sent !== undefined) source.unpipe(sent);
        if (observe !== undefined) source.off('data', observe);
        source.pause();
      },
    });
  }
  function failed(error: Error): void {
    if (answer === undefined) stop(exchange.outgoing.destroyed ? clientGone() : unavailable(who, error));
  }

  signal?.addEventListener('abort', abort, { once: true });
  if (observe !== undefined) source.on('data', observe);
  try {
    startProxyRequest(exchange, request, source, { sending, answered, failed });
  } catch (error) {
    stop(error as Error);
  }
  return promise;
}

function bodySource(incoming: IncomingMessage, body: ForwardRequest['body']): Readable {
  if (body === 'stream') return incoming;
  return Readable.from(body === 'none' ? [] : [body], { objectMode: false });
}

/** What a request fails with when its client has closed the connection. */
export function clientGone(): Error {
  return new DOMException('The client closed the connection.', 'AbortError');
}

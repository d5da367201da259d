import type { Agent, ClientRequest, ServerResponse } from 'node:http';
import { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createProxyServer } from 'http-proxy';
import type { HeaderList } from '../domain/headers.ts';
import { forwardableHeaders } from '../lib/forwardable-headers.ts';
import type { AddressCheck } from './ports-upstream.ts';

/** A client's request and the answer that it waits for. */
export interface ClientExchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** What is sent to the registry. */
export interface ProxyRequest {
  /** `scheme://host[:port]`. */
  readonly origin: string;
  /** Path and query, sent as they are; only the `?` of an empty query is lost. */
  readonly path: string;
  readonly method: string;
  /** What is sent besides Host, Connection and the framing of the body, in this order and with these capitals. */
  readonly headers: HeaderList;
  /** `stream` is the client's own body, framed as the client framed it. */
  readonly body: 'stream' | Uint8Array | 'none';
  /** Where the registry in whose name this is sent may lead. */
  readonly addresses: AddressCheck;
  /** Until the connection stands, in milliseconds. */
  readonly connectTimeout: number;
  /** Makes the connection, which serves this request alone; Node's own where not told otherwise. */
  readonly agent?: Agent | undefined;
}

interface ProxyEvents {
  /** The request has a socket and is about to be sent. */
  sending(request: ClientRequest): void;
  answered(response: IncomingMessage): void;
  /** May come more than once, and after the answer. */
  failed(error: Error): void;
}

/** Upload sessions put their whole state into Location. */
const MAX_HEADER_SIZE = 65_536;

/** Methods whose requests have a body even when it is empty (RFC 9110, section 8.6); servers answer 411 otherwise. */
const EXPECTS_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/**
 * Lets http-proxy send a request with `source` as its body, on a connection of its own: a kept one may be stale, and a
 * body that streams cannot be sent twice.
 * @throws for a path that HTTP does not allow
 */
export function startProxyRequest(
  exchange: ClientExchange,
  request: ProxyRequest,
  source: Readable,
  on: ProxyEvents,
): void {
  const proxy = createProxyServer();
  proxy.on('proxyReq', on.sending);
  proxy.on('proxyRes', on.answered);
  // With a client that is gone, a reset connection is reported here instead of to the callback.
  proxy.on('econnreset', on.failed);
  const options = {
    target: request.origin,
    agent: request.agent,
    method: request.method,
    headers: headerOption(request, exchange.incoming),
    buffer: source,
    selfHandleResponse: true,
    connectTimeout: request.connectTimeout,
    // These two together send the path as it is; every other way leads through URL, which normalises it.
    toProxy: true,
    prependPath: false,
    // http-proxy hands this object on to http.request, which is the one way to options it does not know.
    ssl: { maxHeaderSize: MAX_HEADER_SIZE, lookup: request.addresses.lookup },
  };
  proxy.web(emptyHead(exchange.incoming, request.path), exchange.outgoing, options, on.failed);
}

/**
 * The request that http-proxy believes it forwards. It would copy the client's header fields and add to them; from this
 * one there is nothing to copy, so what is sent is what the options say.
 */
function emptyHead(incoming: IncomingMessage, path: string): IncomingMessage {
  const head = new IncomingMessage(incoming.socket);
  head.url = path;
  return head;
}

/** The fields in the form of http-proxy's option. One that occurs more than once becomes a list: as many lines. */
function headerOption(request: ProxyRequest, incoming: IncomingMessage): Record<string, string | string[]> {
  const all: HeaderList = [
    ['Host', new URL(request.origin).host],
    ...forwardableHeaders(request.headers),
    ...framing(request, incoming),
  ];
  const fields = new Map<string, [name: string, value: string | string[]]>();
  for (const [name, value] of all) {
    const known = fields.get(name.toLowerCase());
    fields.set(name.toLowerCase(), known === undefined ? [name, value] : [known[0], [known[1], value].flat()]);
  }
  return Object.fromEntries(fields.values());
}

/** A body keeps the client's framing, so that a registry that needs a length gets one when there is one. */
function framing({ method, body }: ProxyRequest, incoming: IncomingMessage): HeaderList {
  if (body === 'stream') {
    if (incoming.headers['transfer-encoding'] !== undefined) return [['Transfer-Encoding', 'chunked']];
    const length = incoming.headers['content-length'];
    if (length !== undefined) return [['Content-Length', length]];
  } else if (body !== 'none') {
    return [['Content-Length', String(body.byteLength)]];
  }
  return EXPECTS_BODY.has(method) ? [['Content-Length', '0']] : [];
}

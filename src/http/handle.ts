import type { IncomingMessage, ServerResponse } from 'node:http';
import { RegistryError } from '../domain/errors.ts';
import { type HeaderList, headerListFromRaw, headerValue, headerValues } from '../domain/headers.ts';
import { formatHostPort } from '../lib/address.ts';
import type { Dispatch } from '../pipeline/dispatch.ts';
import type { Answer, Endpoint, Exchange } from '../pipeline/exchange.ts';
import type { FinishedRequest } from '../pipeline/ports.ts';
import { callerOf, clientOrigin, type TrustCheck } from './client.ts';
import { withFirstBytes } from './first-bytes.ts';
import type { ReadyAnswers, RequestRecord } from './ready-answers.ts';
import { answerError, discard, headersOfAnswer, respond } from './respond.ts';
import { originForm, parseTarget, type Target } from './routes.ts';

/** What the edge works with; a reload replaces it as a whole. */
export interface Edge {
  readonly dispatch: Dispatch;
  /** The endpoint for a Host header field, in lower case; undefined when there is none. */
  readonly endpointFor: (host: string) => Endpoint | undefined;
  readonly trusts: TrustCheck;
  readonly observe: (request: FinishedRequest) => void;
  readonly ready: ReadyAnswers;
}

/** What logs and counters call a request whose client left before an answer; nginx made the number known. */
const CLIENT_GONE = 499;

/** Gives an answer again that is still valid for the very same request; false when there is none. */
export function handleReady(
  edge: Edge,
  nextId: () => string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): boolean {
  const started = performance.now();
  const answer = edge.ready.serve(incoming, outgoing);
  if (answer === undefined) return false;
  edge.observe({
    ...answer.record,
    id: nextId(),
    bytesSent: answer.bytes?.length ?? 0,
    seconds: (performance.now() - started) / 1e3,
    client: incoming.socket.remoteAddress ?? '',
  });
  return true;
}

/** Takes one request from its first line to its last byte and to its one log line. Never rejects. */
export async function handle(
  edge: Edge,
  id: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const started = performance.now();
  const { method = 'GET' } = incoming;
  const url = originForm(incoming.url ?? '/');
  const headers = headerListFromRaw(incoming.rawHeaders);
  const applied: Exchange['applied'] = [];
  const seen = { endpoint: '', kind: 'invalid' as FinishedRequest['kind'] };
  if (method !== 'GET' && method !== 'HEAD') edge.ready.forget();
  let failure: unknown;
  let answer: Answer;
  try {
    const target = parseTarget(url);
    seen.kind = target.route.kind;
    const host = hostOf(incoming, headers);
    const endpoint = findEndpoint(edge, host.toLowerCase());
    seen.endpoint = endpoint.name;
    const origin = clientOrigin(incoming, headers, host, edge.trusts);
    const parts = { endpoint, clientOrigin: origin, applied, incoming, outgoing };
    answer = await withFirstBytes(await edge.dispatch(exchangeOf(parts, target, headers)));
  } catch (error) {
    failure = error;
    answer = answerError(asRegistryError(error), method);
  }
  const headersOut = headersOfAnswer(answer, method, applied);
  const record: RequestRecord = {
    ...seen,
    method,
    path: loggedPath(url),
    status: answer.status,
    cache: answer.cache,
    userAgent: headerValue(headers, 'User-Agent'),
    fixes: applied,
  };
  keepReady(edge, incoming, answer, headersOut, record);
  let bytesSent = 0;
  try {
    if (outgoing.destroyed) discard(answer.body);
    else bytesSent = await respond(outgoing, answer.status, headersOut, answer.body);
  } catch (error) {
    failure ??= error;
  }
  edge.observe({
    ...record,
    id,
    bytesSent,
    status: outgoing.destroyed && !outgoing.headersSent ? CLIENT_GONE : answer.status,
    seconds: (performance.now() - started) / 1e3,
    client: incoming.socket.remoteAddress ?? '',
    ...(failure === undefined ? {} : { error: failure }),
  });
}

/** The path without what a mangled upload URL may have glued to it in place of a query: upload state is a secret. */
function loggedPath(url: string): string {
  return url.split(/[?&;]|%(?:26|3b|3f)/i, 1)[0] ?? '/';
}

/** Remembers what may be given again; whatever is not a read may change what all answers say. */
function keepReady(
  edge: Edge,
  incoming: IncomingMessage,
  answer: Answer,
  headers: HeaderList,
  record: RequestRecord,
): void {
  const { status, body, reusableUntil } = answer;
  if (record.method !== 'GET' && record.method !== 'HEAD') edge.ready.forget();
  if (reusableUntil === undefined || (body.kind !== 'bytes' && body.kind !== 'none')) return;
  const bytes = body.kind === 'bytes' ? body.bytes : undefined;
  edge.ready.keep(incoming, { status, headers, bytes, record, until: reusableUntil });
}

// RFC 9110, section 7.2, and RFC 3986, section 3.2: a name, an IPv4 or a bracketed IPv6 address, and a port.
const HOST = /^(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?$/;

/**
 * RFC 9112, section 3.2: a request without exactly one valid Host is answered 400. HTTP/1.0 has none, and old health checks
 * speak it; they mean the address that they reached.
 */
function hostOf({ httpVersion, socket }: IncomingMessage, headers: HeaderList): string {
  const [host, ...others] = headerValues(headers, 'Host');
  if (host === undefined && httpVersion === '1.0') {
    return formatHostPort({ host: socket.localAddress ?? '', port: socket.localPort ?? 0 });
  }
  if (host !== undefined && others.length === 0 && HOST.test(host)) return host;
  throw new RegistryError('UNSUPPORTED', { status: 400, message: 'the Host field is missing or malformed' });
}

function findEndpoint(edge: Edge, host: string): Endpoint {
  const endpoint = edge.endpointFor(host);
  if (endpoint !== undefined) return endpoint;
  throw new RegistryError('NAME_UNKNOWN', {
    message: 'no endpoint has this host name',
    detail: { host },
    explanation: `No endpoint is configured for the host "${host}", and none without a host.`,
  });
}

function exchangeOf(
  parts: Pick<Exchange, 'endpoint' | 'clientOrigin' | 'applied' | 'incoming' | 'outgoing'>,
  target: Target,
  headers: HeaderList,
): Exchange {
  const { incoming, outgoing } = parts;
  const gone = new AbortController();
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort(new Error('the client is gone'));
  });
  const length = headerValue(headers, 'Content-Length');
  const hasBody = length === undefined ? incoming.headers['transfer-encoding'] !== undefined : Number(length) > 0;
  return {
    ...parts,
    caller: callerOf(headers, target.query),
    request: { method: incoming.method ?? 'GET', ...target, headers, clientHeaders: headers, hasBody },
    signal: gone.signal,
  };
}

/** Anything that is not an error of the table is a mistake of ours: the client hears that, the log keeps the cause. */
function asRegistryError(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error;
  return new RegistryError('UNKNOWN', {
    message: 'manifix failed to answer',
    explanation: 'This is a defect of manifix, not of the request; its log has the cause under this request.',
    cause: error,
  });
}

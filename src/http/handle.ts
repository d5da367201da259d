import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuditEvent } from '../domain/audit.ts';
import { RegistryError } from '../domain/errors.ts';
import { type HeaderList, headerListFromRaw, headerValue } from '../domain/headers.ts';
import type { Flow } from '../lib/shared-rate.ts';
import type { Dispatch } from '../pipeline/dispatch.ts';
import type { Answer, Exchange } from '../pipeline/exchange.ts';
import type { FinishedRequest } from '../pipeline/ports.ts';
import { type Arrival, arrive, hostOf } from './arrival.ts';
import { eventOf } from './audit-event.ts';
import { clientAddress, type TrustCheck } from './client.ts';
import type { Cursors } from './cursors.ts';
import type { EndpointRoutes } from './endpoint-routes.ts';
import { withFirstBytes } from './first-bytes.ts';
import { identify } from './identify.ts';
import { dispatchWithLateToken } from './late-tokens.ts';
import { clientOf, openCounted } from './limited-client.ts';
import { checkForm } from './message-form.ts';
import { openExchange } from './open-exchange.ts';
import type { Passage } from './passage.ts';
import { giveReady, type ReadyAnswer, type ReadyAnswers, type RequestRecord } from './ready-answers.ts';
import { answerError, discard, headersOfAnswer, respond } from './respond.ts';
import { originForm, parseTarget, type Target } from './routes.ts';
import { isTokenRequest, type TokenEndpoint } from './token-endpoint.ts';
import type { TokenMemory } from './token-memory.ts';

/** What the edge works with; a reload replaces it as a whole. */
export interface Edge {
  readonly dispatch: Dispatch;
  readonly endpoints: EndpointRoutes;
  readonly cursors: Cursors;
  readonly tokens: TokenEndpoint;
  readonly tokenMemory: TokenMemory;
  readonly trusts: TrustCheck;
  readonly observe: (request: FinishedRequest) => void;
  readonly audit: (event: AuditEvent) => void;
  readonly ready: ReadyAnswers;
}

/** What becomes known of a request on its way to its use case. */
type Seen = {
  -readonly [Key in keyof Pick<FinishedRequest, 'endpoint' | 'kind' | 'repository' | 'user'>]: FinishedRequest[Key];
};

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
  const answer = edge.ready.find(incoming);
  if (answer === undefined || !mayHave(edge, incoming, answer)) return false;
  giveReady(outgoing, answer);
  edge.observe({
    ...answer.record,
    id: nextId(),
    bytesSent: answer.bytes?.length ?? 0,
    seconds: (performance.now() - started) / 1e3,
    client: incoming.socket.remoteAddress ?? '',
  });
  return true;
}

/** Whether the limits let a client have an answer at once; otherwise the long way waits or says no. */
function mayHave({ trusts }: Edge, incoming: IncomingMessage, { limits, record, bytes }: ReadyAnswer): boolean {
  if (limits === undefined) return true;
  const address = clientAddress(incoming, headerListFromRaw(incoming.rawHeaders), trusts);
  return limits.admitReady(clientOf(record.user, address), bytes?.length ?? 0);
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
  const client = incoming.socket.remoteAddress ?? '';
  const url = originForm(incoming.url ?? '/');
  const headers = headerListFromRaw(incoming.rawHeaders);
  const applied: Exchange['applied'] = [];
  const seen: Seen = { endpoint: '', kind: 'invalid' };
  const since = edge.ready.forgotten;
  let failure: unknown;
  let answer: Answer;
  let passage: Passage | undefined;
  let pace: Flow | undefined;
  try {
    checkForm(incoming);
    if (isTokenRequest(url)) {
      seen.kind = 'token';
      const host = hostOf(incoming, headers).toLowerCase();
      answer = await edge.tokens({ incoming, outgoing, url, headers, host, applied, trusts: edge.trusts, seen });
    } else {
      const target = parseTarget(url);
      seen.kind = target.route.kind;
      const arrival = arriveAsMeant(edge, incoming, headers, { target, url }, applied);
      seen.endpoint = arrival.reached.endpoint.name;
      const identity = await identify(arrival, incoming, headers, edge.trusts, edge.endpoints.guards);
      const { user } = identity.principal;
      if (user !== undefined) seen.user = user;
      const address = clientAddress(incoming, headers, edge.trusts);
      const consumer = clientOf(user, address);
      const opened = openCounted(edge.cursors, arrival, identity, consumer, applied);
      passage = opened;
      forgetReady(edge, method, opened);
      Object.assign(seen, seenRoute(opened.target));
      const parts = { applied, incoming, outgoing };
      const known = { id, tokens: edge.tokenMemory, address, client: consumer };
      pace = opened.endpoint.limits?.allowance(consumer).pace();
      const { standIns } = edge.tokenMemory;
      const given = await dispatchWithLateToken(edge.dispatch, standIns, headers, (fields) =>
        openExchange(opened, parts, fields, known),
      );
      answer = await withFirstBytes(await opened.back(given));
    }
  } catch (error) {
    failure = error;
    pace = undefined;
    const refusal = answerError(asRegistryError(error), method);
    answer = passage === undefined ? refusal : await passage.back(refusal);
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
    ...(answer.policy === undefined ? {} : { policy: answer.policy }),
  };
  forgetReady(edge, method, passage);
  const kept = { record, limits: passage?.endpoint.limits };
  keepReady(edge, incoming, withinLife(answer, passage), headersOut, kept, since);
  let bytesSent = 0;
  try {
    if (outgoing.destroyed) discard(answer.body);
    else bytesSent = await respond(outgoing, answer.status, headersOut, answer.body, pace);
  } catch (error) {
    failure ??= error;
  }
  const event = eventOf(method, passage, answer, failure);
  if (event !== undefined) {
    edge.audit({ user: seen.user, ...event, client: clientAddress(incoming, headers, edge.trusts), requestId: id });
  }
  edge.observe({
    ...record,
    id,
    bytesSent,
    status: outgoing.destroyed && !outgoing.headersSent ? CLIENT_GONE : answer.status,
    seconds: (performance.now() - started) / 1e3,
    client,
    ...(failure === undefined ? {} : { error: failure }),
  });
}

function seenRoute({ route }: Target): Pick<Seen, 'kind' | 'repository'> {
  return { kind: route.kind, ...('repository' in route ? { repository: route.repository } : {}) };
}

/** Where a request leads by the path as it was meant, or as it is written where the endpoint does not want it repaired. */
function arriveAsMeant(
  edge: Edge,
  incoming: IncomingMessage,
  headers: HeaderList,
  { target, url }: { readonly target: Target; readonly url: string },
  applied: Exchange['applied'],
): Arrival {
  const arrival = arrive(edge, incoming, headers, target);
  const mode = target.respelled === true ? arrival.reached.endpoint.fixes.mode('encoded-paths') : undefined;
  if (mode === undefined) return arrival;
  if (mode !== 'off') applied.push({ id: 'encoded-paths', mode, note: 'read the path as it was meant' });
  return mode === 'on' ? arrival : arrive(edge, incoming, headers, parseTarget(url, 'asWritten'));
}

/** The path without what a mangled upload URL may have glued to it in place of a query: upload state is a secret. */
function loggedPath(url: string): string {
  return url.split(/[?&;]|%(?:26|3b|3f)/i, 1)[0] ?? '/';
}

/** What is repeated ends with the credentials that it was given for. */
function withinLife(answer: Answer, passage: Passage | undefined): Answer {
  const { until = Number.POSITIVE_INFINITY } = passage?.identity ?? {};
  const { reusableUntil } = answer;
  return reusableUntil === undefined ? answer : { ...answer, reusableUntil: Math.min(reusableUntil, until) };
}

/** What is not a read may change what all answers say; what got no further than the edge does not, and may come from anybody. */
function forgetReady(edge: Edge, method: string, passage: Passage | undefined): void {
  if (passage !== undefined && method !== 'GET' && method !== 'HEAD') edge.ready.forget();
}

/** Remembers what may be given again. */
function keepReady(
  edge: Edge,
  incoming: IncomingMessage,
  answer: Answer,
  headers: HeaderList,
  { record, limits }: Pick<ReadyAnswer, 'record' | 'limits'>,
  since: number,
): void {
  const { status, body, reusableUntil } = answer;
  if (reusableUntil === undefined || (body.kind !== 'bytes' && body.kind !== 'none')) return;
  const bytes = body.kind === 'bytes' ? body.bytes : undefined;
  edge.ready.keep(incoming, { status, headers, bytes, record, limits, until: reusableUntil }, since);
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

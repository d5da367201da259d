import { RegistryError } from '../domain/errors.ts';
import { headerValue, headerValues } from '../domain/headers.ts';
import { withQuery } from '../domain/query.ts';
import { formatRoute } from '../domain/route-path.ts';
import { inTime } from '../lib/in-time.ts';
import type { ShortMemory } from '../lib/short-memory.ts';
import { DAY } from '../lib/units.ts';
import { reasonOfRefusal } from './answer-resolution.ts';
import { noteDemands } from './demands.ts';
import { type Answer, type Exchange, NO_BODY, redirectsOf, throttledOf } from './exchange.ts';
import type { Services } from './ports.ts';
import { relay, relayRefusal } from './relay.ts';
import { report, reportRedirect, reportWait } from './report.ts';

/** What a registry last wanted of a caller: nothing, or the credentials of these challenges. */
export interface PingAnswer {
  readonly challenges: readonly string[];
}

/** That this is a registry. */
const YES: Answer = {
  status: 200,
  headers: [
    ['Docker-Distribution-Api-Version', 'registry/2.0'],
    ['Content-Length', '0'],
  ],
  body: NO_BODY,
};

const REMEMBERED_FOR = DAY;

/**
 * GET and HEAD of `/v2/`, with which podman and docker begin each pull (distribution-spec, "Determining Support"). While the registry
 * fails they get what it last said to this caller, or else that this is a registry, which gives nobody a right. A registry
 * that keeps silent is waited for by those of whom it may want credentials for all that is known: it may only be slow to say so.
 */
export async function ping(services: Services, known: ShortMemory<PingAnswer>, exchange: Exchange): Promise<Answer> {
  // Whom manifix itself knows needs no word of the registry, which would be asked in the name of another account.
  if (exchange.principal.user !== undefined) return { ...YES, cache: 'bypass' };
  const { upstream } = exchange.endpoint;
  const key = JSON.stringify([upstream.name, upstream.origin, exchange.caller.identity]);
  const before = known.get(key) ?? demanded(services, exchange);
  const outlook = upstream.outlook('GET', exchange.request.headers);
  const patience = before === undefined ? Number.POSITIVE_INFINITY : outlook.patience;
  const asking = outlook.ask ? asked(services, exchange, before !== undefined) : Promise.resolve(undefined);
  const heard = asking.then((answer) => {
    if (answer?.status === 200 || answer?.status === 401) {
      known.put(key, { challenges: headerValues(answer.headers, 'WWW-Authenticate') }, REMEMBERED_FOR);
      if (isNobody(exchange)) noteDemands(services.facts, upstream, answer);
    }
    return answer;
  });
  const answer = await inTime(heard, patience);
  if (answer !== undefined) return answer;
  // Whoever comes next hears what comes too late for this one.
  heard.then(discard, () => undefined);
  return remembered(services, exchange, before);
}

/** What the registry is known to want of a caller to whom it said nothing since the start: of manifix's own account, nothing. */
function demanded({ facts }: Services, exchange: Exchange): PingAnswer | undefined {
  const { upstream } = exchange.endpoint;
  if (upstream.authority === 'own') return { challenges: [] };
  const challenges = isNobody(exchange) ? facts.demands(upstream.name) : undefined;
  return challenges && { challenges };
}

function isNobody({ caller, request }: Exchange): boolean {
  return caller.anonymous && headerValue(request.headers, 'Authorization') === undefined;
}

function discard(answer: Answer | undefined): void {
  if (answer?.body.kind === 'stream') answer.body.stream.destroy();
}

/** The registry's answer; undefined when it gives none, or one that says nothing about the caller. */
async function asked(services: Services, exchange: Exchange, hurried: boolean): Promise<Answer | undefined> {
  const { endpoint, request, signal } = exchange;
  const outcome = endpoint.fixes.request(request);
  report(exchange, outcome.applied);
  if (outcome.refuse !== undefined) throw outcome.refuse;
  if (outcome.reply !== undefined) return { ...outcome.reply, body: NO_BODY };
  const sent = outcome.view;
  try {
    const response = await endpoint.upstream.request({
      method: request.method === 'HEAD' ? 'HEAD' : 'GET',
      path: withQuery(formatRoute(sent.route), sent.query),
      headers: sent.headers,
      redirects: redirectsOf(endpoint),
      throttled: hurried ? 'pass' : throttledOf(endpoint),
      signal,
    });
    reportWait(exchange, response);
    reportRedirect(exchange, response);
    if (reasonOfRefusal(exchange, response.status) === undefined)
      return await relay(services, exchange, sent, response);
    response.body.destroy();
    return undefined;
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'UNAVAILABLE') return undefined;
    throw error;
  }
}

function remembered(services: Services, exchange: Exchange, known: PingAnswer | undefined): Answer {
  if (known !== undefined && known.challenges.length > 0) {
    const headers = known.challenges.map((challenge) => ['WWW-Authenticate', challenge] as const);
    const refusal = relayRefusal(services, exchange, exchange.request, { status: 401, headers, text: '' });
    return { ...refusal, cache: 'stale', staleReason: 'registry-unavailable' };
  }
  return { ...YES, cache: 'stale', staleReason: 'registry-unavailable' };
}

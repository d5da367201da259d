import { isOutageError } from '../domain/outage.ts';
import { fallbackTag } from '../domain/referrers.ts';
import { judgeTag } from '../domain/tag-policy.ts';
import type { AppliedFix } from '../fixes/run.ts';
import { inTime } from '../lib/in-time.ts';
import type { SingleFlight } from '../lib/single-flight.ts';
import { isCallForToken } from './access.ts';
import { reasonOfRefusal, slowReason, warned } from './answer-resolution.ts';
import { type Answer, type Exchange, NO_BODY, REUSABLE_FOR, type StaleReason } from './exchange.ts';
import type { ListRoute } from './fetch-list.ts';
import { getList } from './get-list.ts';
import type { KeptList, Services } from './ports.ts';
import { report } from './report.ts';
import { changesName } from './resolve-once.ts';

type ReferrersRoute = Extract<ListRoute, { kind: 'referrers' }>;

/** What the registry was found to say, and the fixes that had a part in it. */
export interface Listing {
  readonly answer: Answer;
  readonly applied: readonly AppliedFix[];
}

/** A list is believed as long as the tag that stands for it, but no longer than the right to read it. */
const LONGEST_TTL = 60_000;
const EVERYBODY = 'everybody';
/** The fields that say something about the list and are the same for every caller. */
const KEPT = new Set([
  ...['content-type', 'content-length', 'oci-filters-applied', 'link', 'etag', 'cache-control', 'vary', 'warning'],
  ...['docker-distribution-api-version', 'x-content-type-options'],
]);

/**
 * GET and HEAD of a list of referrers: the one that this caller was given a moment ago, or what the registry says now. While the
 * registry cannot be asked, the last known list is the answer for those who may read it without anybody being asked. A push or
 * a delete through manifix makes all lists of its repository unknown.
 */
export async function getReferrers(
  services: Services,
  flight: SingleFlight<Listing>,
  exchange: Exchange,
  route: ReferrersRoute,
): Promise<Answer> {
  const { freshness, upstream } = exchange.endpoint;
  const known = knownList(services, exchange, route);
  const ttl = Math.min(freshness.ttlOf(fallbackTag(route.digest)), LONGEST_TTL);
  const age = known === undefined ? Number.POSITIVE_INFINITY : services.now() - known.list.confirmedAt;
  const outlook = upstream.outlook('GET', exchange.request.headers);
  const state = judgeTag(age, ttl, freshness, outlook.budget);
  if (known !== undefined && state === 'fresh') return fresh(services, exchange, known.list, ttl);
  const last = known?.isReadable === true && state !== 'expired' ? known.list : undefined;
  if (last !== undefined && state === 'spared') return stale(exchange, last, 'rate-limit');
  if (last !== undefined && !outlook.ask) return stale(exchange, last, 'registry-unavailable');
  const asking = listNow(services, flight, exchange, route);
  if (last === undefined) return given(exchange, await asking);
  // It runs on when nobody waits for it any more; whoever asks next hears what came of it.
  asking.catch(() => undefined);
  if (state === 'refreshing') return stale(exchange, last, 'refreshing');
  const outcome = await inTime(orOutage(asking), outlook.patience);
  if (outcome === undefined) return stale(exchange, last, slowReason(outlook));
  const reason = outcome === 'outage' ? 'registry-unavailable' : reasonOfRefusal(exchange, outcome.answer.status);
  return outcome === 'outage' || reason !== undefined
    ? stale(exchange, last, reason ?? 'registry-unavailable')
    : given(exchange, outcome);
}

/** The list of this caller, or that of everybody, and whether it may be read without asking the registry for how long ever. */
function knownList(
  services: Services,
  exchange: Exchange,
  route: ReferrersRoute,
): { readonly list: KeptList; readonly isReadable: boolean } | undefined {
  const { caller, endpoint } = exchange;
  const own = services.referrers.get(nameFor(services, exchange, route, holderOf(exchange)));
  const list = own ?? services.referrers.get(nameFor(services, exchange, route, EVERYBODY));
  if (list === undefined) return undefined;
  if (own === undefined || holderOf(exchange) === EVERYBODY) return { list, isReadable: true };
  const { name } = endpoint.upstream;
  const isOpen = services.facts.link(name, route.repository, 'manifest', route.digest) === 'open';
  return { list, isReadable: isOpen || services.grants.has(name, route.repository, caller.identity) };
}

/** What one caller without credentials was given, all may have. */
function holderOf({ caller }: Exchange): string {
  return caller.anonymous ? EVERYBODY : caller.identity;
}

function nameFor(services: Services, exchange: Exchange, route: ReferrersRoute, holder: string): string {
  const { endpoint, clientOrigin, request } = exchange;
  // What was asked before a push is no answer to what is asked after it.
  const version = services.changes.of(changesName(endpoint.upstream.name, route.repository));
  return JSON.stringify([endpoint.name, clientOrigin, route.repository, route.digest, request.query, holder, version]);
}

/** Asks for the whole list, once for all who ask the same with the same credentials. */
async function listNow(
  services: Services,
  flight: SingleFlight<Listing>,
  exchange: Exchange,
  route: ReferrersRoute,
): Promise<Listing> {
  let leading = false;
  const ask = async (): Promise<Listing> => {
    leading = true;
    const name = nameFor(services, exchange, route, holderOf(exchange));
    const confirmedAt = services.now();
    const applied: AppliedFix[] = [];
    const answer = await getList(services, { ...asGet(exchange), applied }, route);
    if (answer.status === 200 && answer.body.kind === 'bytes') {
      const { body } = answer;
      const headers = answer.headers.filter(([field]) => KEPT.has(field.toLowerCase()));
      services.referrers.put(
        name,
        { headers, bytes: body.bytes, applied, confirmedAt },
        name.length + body.bytes.length,
      );
    } else if (reasonOfRefusal(exchange, answer.status) === undefined) {
      if (!isCallForToken(services, exchange, route.repository, answer)) services.referrers.delete(name);
    }
    return { answer, applied };
  };
  const listing = await flight(nameFor(services, exchange, route, exchange.caller.identity), ask);
  // A stream can be read once only, by whoever asked for it.
  return listing.answer.body.kind === 'stream' && !leading ? ask() : listing;
}

/** HEAD is answered from the list as well, and those who join a question may outstay who asked it. */
function asGet(exchange: Exchange): Exchange {
  return { ...exchange, request: { ...exchange.request, method: 'GET' }, signal: new AbortController().signal };
}

async function orOutage(asking: Promise<Listing>): Promise<Listing | 'outage'> {
  try {
    return await asking;
  } catch (error) {
    if (isOutageError(error)) return 'outage';
    throw error;
  }
}

function given(exchange: Exchange, { answer, applied }: Listing): Answer {
  report(exchange, applied);
  if (exchange.request.method !== 'HEAD') return answer;
  if (answer.body.kind === 'stream') answer.body.stream.destroy();
  return { ...answer, body: NO_BODY };
}

function fresh(services: Services, exchange: Exchange, list: KeptList, ttl: number): Answer {
  const reusableUntil = Math.min(list.confirmedAt + ttl, services.now() + REUSABLE_FOR);
  return { ...kept(exchange, list), cache: 'hit', reusableUntil };
}

function stale(exchange: Exchange, list: KeptList, reason: StaleReason): Answer {
  const answer = kept(exchange, list);
  return { ...answer, cache: 'stale', staleReason: reason, headers: warned(answer.headers, reason) };
}

function kept(exchange: Exchange, { headers, bytes, applied }: KeptList): Answer {
  return given(exchange, { answer: { status: 200, headers, body: { kind: 'bytes', bytes } }, applied });
}

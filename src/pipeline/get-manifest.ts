import { formatAccept, parseAccept, type View, viewOf } from '../domain/accept.ts';
import type { Digest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import { type HeaderList, headerValue, headerValues, withHeader } from '../domain/headers.ts';
import { MANIFEST_TYPES } from '../domain/media-type.ts';
import type { Tag } from '../domain/reference.ts';
import type { Route } from '../domain/route.ts';
import type { SingleFlight } from '../lib/single-flight.ts';
import { hasReadAccess, isOutage, recordRefusal } from './access.ts';
import { type Answer, type Exchange, NO_BODY, REUSABLE_FOR } from './exchange.ts';
import type { Services, TagRecord } from './ports.ts';
import { relayRefusal } from './relay.ts';
import { report, reportRedirect, reportRepair } from './report.ts';
import { type ManifestRequest, type Resolved, resolveManifest } from './resolve-manifest.ts';
import { serveDerived, serveManifest } from './serve-manifest.ts';

type ManifestRoute = Extract<Route, { kind: 'manifest' }>;
type Flight = SingleFlight<Resolved>;

/**
 * GET and HEAD of a manifest. By tag: the digest that is still fresh, or what the registry says now; by digest: the
 * stored bytes once the caller may read them. The bytes then pass the fixes, and HEAD takes the same way as GET.
 */
export async function getManifest(
  services: Services,
  flight: Flight,
  exchange: Exchange,
  route: ManifestRoute,
): Promise<Answer> {
  const outcome = exchange.endpoint.fixes.request(exchange.request);
  report(exchange, outcome.applied);
  if (outcome.refuse !== undefined) throw outcome.refuse;
  const request: ManifestRequest = { repository: route.repository, reference: route.reference, sent: outcome.view };
  if (route.reference.kind === 'tag') {
    const serveImage = (digest: Digest) =>
      getByDigest(services, flight, exchange, imageRequest(request, digest), digest);
    const answer = await getByTag(services, flight, exchange, { ...request, serveImage }, route.reference.tag);
    if (answer.status < 400) {
      services.facts.putPull(exchange.endpoint.upstream.name, route.repository, route.reference.tag, services.now());
    }
    return answer;
  }
  return getByDigest(services, flight, exchange, request, route.reference.digest);
}

/** The registry may serve an image only to who accepts it; by digest it is never another one for that. */
function imageRequest({ repository, sent }: ManifestRequest, digest: Digest): ManifestRequest {
  const headers = withHeader(sent.headers, 'Accept', formatAccept(MANIFEST_TYPES));
  return { repository, reference: { kind: 'digest', digest }, sent: { ...sent, headers } };
}

async function getByTag(
  services: Services,
  flight: Flight,
  exchange: Exchange,
  request: ManifestRequest,
  tag: Tag,
): Promise<Answer> {
  const { upstream, tagTtl } = exchange.endpoint;
  const view = viewOf(parseAccept(headerValues(request.sent.headers, 'Accept')));
  const name = recordName(view, request.sent.query);
  const known = name === undefined ? undefined : services.facts.tag(upstream.name, request.repository, tag, name);
  const age = services.now() - (known?.confirmedAt ?? Number.NEGATIVE_INFINITY);
  // A clock that was set back must not make a tag fresh for longer.
  if (known !== undefined && age >= 0 && age < tagTtl) {
    const fresh = await storedAnswer(services, exchange, request, known.digest, 'hit');
    if (fresh !== undefined) return reusable(services, fresh, known.confirmedAt + tagTtl);
  }
  const headFirst = known !== undefined || exchange.request.method === 'HEAD';
  const resolved = await resolveOnce(services, flight, exchange, request, view, headFirst).catch((error: unknown) =>
    outageOf(error),
  );
  if (resolved.kind === 'manifest' && resolved.stored && name !== undefined) {
    const record: TagRecord = { digest: resolved.manifest.digest, confirmedAt: services.now() };
    services.facts.putTag(upstream.name, request.repository, tag, name, record);
  }
  return answerResolved(services, exchange, request, resolved, known?.digest);
}

/** The name under which it is recorded what a tag means to this kind of request. What a query selects nobody knows. */
function recordName(view: View, query: string): string | undefined {
  return query === '' ? view : undefined;
}

async function getByDigest(
  services: Services,
  flight: Flight,
  exchange: Exchange,
  request: ManifestRequest,
  digest: Digest,
): Promise<Answer> {
  const derived = services.facts.derived(exchange.endpoint.upstream.name, request.repository, digest);
  if (derived !== undefined) return serveDerived(services, exchange, request, derived);
  const hit = await storedAnswer(services, exchange, request, digest, 'hit');
  if (hit !== undefined) return reusable(services, hit, Number.POSITIVE_INFINITY);
  const headFirst = exchange.request.method === 'HEAD' || (await services.manifests.get(digest)) !== undefined;
  const resolved = await resolveOnce(services, flight, exchange, request, '', headFirst).catch((error: unknown) =>
    outageOf(error),
  );
  return answerResolved(services, exchange, request, resolved, digest);
}

function reusable(services: Services, answer: Answer, freshUntil: number): Answer {
  return { ...answer, reusableUntil: Math.min(freshUntil, services.now() + REUSABLE_FOR) };
}

interface Outage {
  readonly kind: 'outage';
  readonly error: RegistryError;
}

/** Only a registry that cannot be reached leaves room for an older answer; everything else is final. */
function outageOf(error: unknown): Outage {
  if (error instanceof RegistryError && error.code === 'UNAVAILABLE') return { kind: 'outage', error };
  throw error;
}

/** One request to the registry for all who ask the same with the same credentials at the same time. */
async function resolveOnce(
  services: Services,
  flight: Flight,
  exchange: Exchange,
  request: ManifestRequest,
  view: string,
  headFirst: boolean,
): Promise<Resolved> {
  let leading = false;
  const task = (): Promise<Resolved> => {
    leading = true;
    return resolveManifest(services, exchange, request, headFirst);
  };
  const { endpoint, caller } = exchange;
  const key = [
    endpoint.upstream.name,
    request.repository,
    request.reference,
    view,
    request.sent.query,
    caller.identity,
    headFirst,
  ];
  const resolved = await flight(JSON.stringify(key), task);
  // A stream can be read once only, by whoever asked for it.
  return resolved.kind === 'stream' && !leading ? task() : resolved;
}

/** What the store has, when the caller was lately seen to read it. */
async function storedAnswer(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
  digest: Digest,
  cache: 'hit' | 'stale',
): Promise<Answer | undefined> {
  if (cache === 'hit' && !hasReadAccess(services, exchange, request.repository, 'manifest', digest)) return undefined;
  const manifest = await services.manifests.get(digest);
  return manifest === undefined
    ? undefined
    : serveManifest(services, exchange, request, { manifest, cache, stored: true });
}

async function answerResolved(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
  resolved: Resolved | Outage,
  known: Digest | undefined,
): Promise<Answer> {
  switch (resolved.kind) {
    case 'manifest':
      reportRedirect(exchange, { status: 200, redirected: resolved.redirected });
      if (resolved.decoded !== undefined) {
        reportRepair(exchange, 'gzip-content-encoding', `undid Content-Encoding ${resolved.decoded}`);
      }
      return serveManifest(services, exchange, request, resolved);
    case 'stream': {
      if (exchange.endpoint.fixes.mode('gzip-content-encoding') === 'observe') reportCoding(exchange, resolved.headers);
      const head = exchange.request.method === 'HEAD';
      if (head) resolved.stream.destroy();
      const body = head ? NO_BODY : ({ kind: 'stream', stream: resolved.stream } as const);
      return { status: 200, headers: resolved.headers, body, cache: 'bypass' };
    }
    case 'refused': {
      reportRedirect(exchange, { status: resolved.refusal.status, redirected: false });
      const outage = isOutage(resolved.refusal.status);
      const stale = outage ? await staleAnswer(services, exchange, request, known) : undefined;
      if (!outage && known !== undefined) recordRefusal(services, exchange, request.repository, 'manifest', known);
      return stale ?? relayRefusal(services, exchange, request.sent, resolved.refusal);
    }
    case 'outage': {
      const stale = await staleAnswer(services, exchange, request, known);
      if (stale === undefined) throw resolved.error;
      return stale;
    }
  }
}

/** What came compressed and goes on so. */
function reportCoding(exchange: Exchange, headers: HeaderList): void {
  const coding = headerValue(headers, 'Content-Encoding');
  if (coding !== undefined) reportRepair(exchange, 'gzip-content-encoding', `undid Content-Encoding ${coding}`);
}

/** During an outage the last known manifest is served to those who may read it. */
async function staleAnswer(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
  known: Digest | undefined,
): Promise<Answer | undefined> {
  if (known === undefined) return undefined;
  const { upstream } = exchange.endpoint;
  const open = services.facts.link(upstream.name, request.repository, 'manifest', known) === 'open';
  if (!open && !hasReadAccess(services, exchange, request.repository, 'manifest', known)) return undefined;
  return storedAnswer(services, exchange, request, known, 'stale');
}

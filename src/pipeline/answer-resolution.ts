import type { Readable } from 'node:stream';
import type { Digest } from '../domain/digest.ts';
import { type HeaderList, headerValue } from '../domain/headers.ts';
import { isOutage } from '../domain/outage.ts';
import type { RepositoryName } from '../domain/reference.ts';
import { inTime } from '../lib/in-time.ts';
import { hasReadAccess, recordRefusal } from './access.ts';
import { refuseDenied } from './denied-content.ts';
import { type Answer, type Exchange, NO_BODY, REUSABLE_FOR, type StaleReason } from './exchange.ts';
import type { Outlook, Services } from './ports.ts';
import { relayRefusal } from './relay.ts';
import { reportRedirect, reportRepair } from './report.ts';
import type { ManifestRequest } from './resolve-manifest.ts';
import type { Resolution } from './resolve-once.ts';
import { serveManifest } from './serve-manifest.ts';
import { warning } from './warning.ts';

/**
 * Asks the registry and answers with what it says. Where something is known from earlier, nobody waits for a registry that will
 * not answer, or not soon: the question runs on, and the last known manifest is the answer.
 */
export async function answerInTime(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
  known: Digest | undefined,
  ask: (hurried: boolean) => Promise<Resolution>,
): Promise<Answer> {
  const outlook = exchange.endpoint.upstream.outlook('HEAD', request.sent.headers);
  const stale = (reason: StaleReason) => staleAnswer(services, exchange, request, known, reason);
  if (!outlook.ask) {
    const early = await stale('registry-unavailable');
    if (early !== undefined) return early;
  }
  const asking = ask(known !== undefined && isReadableUnasked(services, exchange, request.repository, known));
  const resolution = known === undefined ? await asking : await inTime(asking, outlook.patience);
  if (resolution === undefined) {
    const early = await stale(slowReason(outlook));
    if (early === undefined) return answerResolution(services, exchange, request, await asking, known);
    abandon(asking);
    return early;
  }
  return answerResolution(services, exchange, request, resolution, known);
}

/** Nobody waits for a registry that failed before, until it answers again. */
export function slowReason({ patience }: Outlook): StaleReason {
  return patience === 0 ? 'registry-unavailable' : 'registry-slow';
}

/** Lets a question run on for which nobody waits any more; whoever asks next will hear why it failed. */
export function abandon(asking: Promise<Resolution>): void {
  asking.then(
    (resolution) => {
      if (resolution.kind === 'stream') resolution.stream.destroy();
    },
    () => undefined,
  );
}

/** Answers with what a question came to; during an outage with the manifest `known` from earlier, if there is one. */
async function answerResolution(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
  resolved: Resolution,
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
      refuseDeniedStream(exchange, request, resolved.stream);
      if (exchange.endpoint.fixes.mode('gzip-content-encoding') === 'observe') reportCoding(exchange, resolved.headers);
      const head = exchange.request.method === 'HEAD';
      if (head) resolved.stream.destroy();
      const body = head ? NO_BODY : ({ kind: 'stream', stream: resolved.stream } as const);
      return { status: 200, headers: resolved.headers, body, cache: 'bypass' };
    }
    case 'refused':
      return answerRefusal(services, exchange, request, resolved, known);
    case 'outage': {
      const stale = await staleAnswer(services, exchange, request, known, 'registry-unavailable');
      if (stale === undefined) throw resolved.error;
      return stale;
    }
  }
}

async function answerRefusal(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
  { refusal, remembered }: Extract<Resolution, { kind: 'refused' }>,
  known: Digest | undefined,
): Promise<Answer> {
  reportRedirect(exchange, { status: refusal.status, redirected: false });
  const reason = reasonOfRefusal(exchange, refusal.status);
  const stale = reason && (await staleAnswer(services, exchange, request, known, reason));
  if (stale !== undefined) {
    if (reason === 'account-refused') tellOfAccount(services, exchange, refusal.status);
    return stale;
  }
  if (reason === undefined && known !== undefined) {
    recordRefusal(services, exchange, request.repository, 'manifest', known, refusal);
  }
  const answer = relayRefusal(services, exchange, request.sent, refusal);
  return remembered === true ? { ...answer, cache: 'hit' } : answer;
}

/**
 * Why a refusal says nothing about what is known: the registry is overloaded or broken, nobody could be asked for a token, or the
 * account in whose name manifix asks is refused, as it is with an old password. Undefined when it does say something.
 */
export function reasonOfRefusal({ endpoint, caller }: Exchange, status: number): StaleReason | undefined {
  if (isOutage(status)) return 'registry-unavailable';
  if (status === 401 && caller.withoutToken !== undefined) return 'no-token';
  return endpoint.upstream.hasAccount && (status === 401 || status === 403) ? 'account-refused' : undefined;
}

/** In milliseconds. */
const TOLD_EVERY = 10 * 60_000;

/** Clients get what they ask for, so that nobody would come to the operator, who alone can mend it. */
function tellOfAccount({ refusedAccounts, telemetry }: Services, { endpoint }: Exchange, status: number): void {
  const { name } = endpoint.upstream;
  if (refusedAccounts.get(name) !== undefined) return;
  refusedAccounts.put(name, {}, TOLD_EVERY);
  telemetry.warn('a registry refuses the account of manifix; what is known is served', { upstream: name, status });
}

/** What streams through is refused by what it was asked for as. */
function refuseDeniedStream(exchange: Exchange, request: ManifestRequest, stream: Readable): void {
  try {
    refuseDenied(exchange, request);
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

/** What came compressed and goes on so. */
function reportCoding(exchange: Exchange, headers: HeaderList): void {
  const coding = headerValue(headers, 'Content-Encoding');
  if (coding !== undefined) reportRepair(exchange, 'gzip-content-encoding', `undid Content-Encoding ${coding}`);
}

/** What the store has, when the caller was lately seen to read it; the very same request may get it again until then. */
export async function freshAnswer(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
  digest: Digest,
  freshUntil: number,
): Promise<Answer | undefined> {
  if (!hasReadAccess(services, exchange, request.repository, 'manifest', digest)) return undefined;
  const manifest = await services.manifests.get(digest);
  if (manifest === undefined) return undefined;
  const answer = await serveManifest(services, exchange, request, { manifest, cache: 'hit', stored: true });
  return { ...answer, reusableUntil: Math.min(freshUntil, services.now() + REUSABLE_FOR) };
}

/** Whether this caller may read a manifest without the registry being asked. */
function isReadableUnasked(services: Services, exchange: Exchange, repository: RepositoryName, known: Digest): boolean {
  const isOpen = services.facts.link(exchange.endpoint.upstream.name, repository, 'manifest', known) === 'open';
  return isOpen || hasReadAccess(services, exchange, repository, 'manifest', known);
}

/** The last known manifest, for those who may read it without anybody being asked. */
export async function staleAnswer(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
  known: Digest | undefined,
  reason: StaleReason,
): Promise<Answer | undefined> {
  if (known === undefined) return undefined;
  if (!isReadableUnasked(services, exchange, request.repository, known)) return undefined;
  const manifest = await services.manifests.get(known);
  if (manifest === undefined) return undefined;
  const answer = await serveManifest(services, exchange, request, { manifest, cache: 'stale', stored: true });
  return { ...answer, staleReason: reason, headers: warned(answer.headers, reason) };
}

const WARNINGS: Partial<Record<StaleReason, string>> = {
  'registry-slow': 'the registry takes its time; this is the last known content',
  'rate-limit': 'the registry allows hardly any more requests; this is the last known content',
  'no-token': 'the token service of the registry cannot be asked at the moment; this is the last known content',
  'account-refused': 'the registry refuses the account of manifix; this is the last known content',
  'registry-unavailable': 'the registry cannot be asked at the moment; this is the last known content',
};

/** The fields with a warning; what is refreshed behind an answer is no trouble to tell of. */
export function warned(headers: HeaderList, reason: StaleReason): HeaderList {
  const text = WARNINGS[reason];
  return text === undefined ? headers : [...headers, warning(`manifix: ${text}`)];
}

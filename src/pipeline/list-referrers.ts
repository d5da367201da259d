import type { Digest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import { type HeaderList, withHeader } from '../domain/headers.ts';
import { MANIFEST_TYPES, OCI_INDEX } from '../domain/media-type.ts';
import { queryText } from '../domain/query.ts';
import type { Reference, RepositoryName } from '../domain/reference.ts';
import {
  distinctReferrers,
  fallbackTag,
  type ListedReferrer,
  lacksReferrersApi,
  listedReferrers,
  referrersIndex,
} from '../domain/referrers.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { RequestView } from '../fixes/fix.ts';
import { readBody } from '../lib/read-body.ts';
import { confirms, readHeaders } from './access.ts';
import { askHead } from './ask-head.ts';
import { type Answer, type Exchange, redirectsOf, throttledOf } from './exchange.ts';
import type { ListRoute } from './fetch-list.ts';
import { MAX_MANIFEST } from './fetch-manifest.ts';
import type { Refusal, Services } from './ports.ts';
import { readRefusal, relayBytes, relayRefusal } from './relay.ts';
import { reportRepair } from './report.ts';

const FIX = 'subject-and-referrers-on-push';
const ACCEPT = [...MANIFEST_TYPES, '*/*'].join(', ');
/** Each referrer is a question to the registry. */
const MAX_LISTED = 1_000;
const QUESTIONS_AT_ONCE = 8;

type Listing = readonly ListedReferrer[] | Refusal;

/**
 * The referrers that manifix keeps, with those of the fallback tag, in place of a registry's word that it has no such API.
 * The registry is asked with the caller's credentials for the subject and for all that is listed: nobody learns of what he may
 * not read, and what is gone is not listed. What it does not answer fails the whole, because a part would pass for everything.
 */
export async function listReferrers(
  services: Services,
  exchange: Exchange,
  route: Extract<ListRoute, { kind: 'referrers' }>,
  sent: RequestView,
  status: number,
): Promise<Answer | undefined> {
  if (!lacksReferrersApi(status)) return undefined;
  reportRepair(exchange, FIX, 'listed the referrers that were pushed through manifix');
  if (exchange.endpoint.fixes.mode(FIX) !== 'on') return undefined;
  const { repository, digest } = route;
  // What refers to a manifest refers to what manifix derived from it.
  const original = services.facts.derived(exchange.endpoint.upstream.name, repository, digest)?.original ?? digest;
  const denied = await refusalOf(services, exchange, repository, original);
  if (denied !== undefined && denied.status !== 404) return relayRefusal(services, exchange, sent, denied);
  const listing = await referrersOf(services, exchange, repository, new Set([digest, original]));
  if ('status' in listing) return relayRefusal(services, exchange, sent, listing);
  const artifactType = queryText(sent.query, 'artifactType') || undefined;
  const headers: HeaderList = [
    ['Content-Type', OCI_INDEX],
    ...(artifactType === undefined ? [] : [['OCI-Filters-Applied', 'artifactType'] as const]),
  ];
  const bytes = Buffer.from(JSON.stringify(referrersIndex(listing, artifactType)));
  return relayBytes(services, exchange, sent, { status: 200, headers, bytes });
}

async function referrersOf(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  subjects: ReadonlySet<Digest>,
): Promise<Listing> {
  const known: ListedReferrer[] = [];
  for (const subject of subjects) {
    const recorded = services.facts.referrers(exchange.endpoint.upstream.name, repository, subject);
    if (recorded === undefined) throw unreadable();
    const tagged = await underFallbackTag(exchange, repository, subject);
    if ('status' in tagged) return tagged;
    known.push(...recorded.map((descriptor) => ({ ...descriptor })), ...tagged);
  }
  return thoseThere(services, exchange, repository, distinctReferrers(known));
}

/** What clients list under the fallback tag of a subject, or the registry's refusal to say it. */
export async function underFallbackTag(
  exchange: Exchange,
  repository: RepositoryName,
  subject: Digest,
): Promise<Listing> {
  const { endpoint } = exchange;
  const response = await endpoint.upstream.request({
    method: 'GET',
    path: pathOf(repository, { kind: 'tag', tag: fallbackTag(subject) }),
    headers: withHeader(readHeaders(exchange.request.headers), 'Accept', OCI_INDEX),
    redirects: redirectsOf(endpoint),
    throttled: throttledOf(endpoint),
    signal: exchange.signal,
  });
  if (response.status !== 200) {
    const refusal = await readRefusal(response);
    return refusal.status === 404 ? [] : refusal;
  }
  const bytes = await readBody(response.body, MAX_MANIFEST);
  if (bytes === 'too-large') throw tooMany();
  return listedReferrers(bytes);
}

/** Those of the referrers that the registry has for this caller, or its refusal to say it. */
export async function thoseThere(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  referrers: readonly ListedReferrer[],
): Promise<Listing> {
  if (referrers.length > MAX_LISTED) throw tooMany();
  const there: ListedReferrer[] = [];
  for (let at = 0; at < referrers.length; at += QUESTIONS_AT_ONCE) {
    const group = referrers.slice(at, at + QUESTIONS_AT_ONCE);
    const refusals = await Promise.all(group.map(({ digest }) => refusalOf(services, exchange, repository, digest)));
    const failed = refusals.find((refusal) => refusal !== undefined && refusal.status !== 404);
    if (failed !== undefined) return failed;
    there.push(...group.filter((_, position) => refusals[position] === undefined));
  }
  return there;
}

/** What the registry says to this caller instead of a manifest; undefined when it has it. */
async function refusalOf(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  digest: Digest,
): Promise<Refusal | undefined> {
  const { status, headers } = await askHead(services, exchange, {
    kind: 'manifest',
    path: pathOf(repository, { kind: 'digest', digest }),
    headers: withHeader(readHeaders(exchange.request.headers), 'Accept', ACCEPT),
  });
  return status === 200 && confirms(headers, digest) ? undefined : { status, headers, text: '' };
}

function pathOf(repository: RepositoryName, reference: Reference): string {
  return formatRoute({ kind: 'manifest', repository, reference });
}

function unreadable(): RegistryError {
  return new RegistryError('UNKNOWN', {
    status: 503,
    message: 'the list of referrers could not be read',
    explanation:
      'manifix keeps it in its facts database, which failed. Its log says why; /readyz tells when it works again.',
    fix: FIX,
  });
}

function tooMany(): RegistryError {
  return new RegistryError('UNSUPPORTED', {
    status: 501,
    message: `more than ${MAX_LISTED} referrers cannot be listed`,
    explanation: 'The registry has no referrers API, and each referrer would be a question to it.',
    fix: FIX,
  });
}

import { algorithmOf, digestOf } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import { headerValue } from '../domain/headers.ts';
import type { RepositoryName } from '../domain/reference.ts';
import { lacksReferrersApi, type Referrer, referrerOf } from '../domain/referrers.ts';
import type { Route } from '../domain/route.ts';
import { readHeaders } from './access.ts';
import type { Answer, Exchange } from './exchange.ts';
import { fetchList, type ListRoute } from './fetch-list.ts';
import type { Services } from './ports.ts';
import { report, reportRepair } from './report.ts';
import { changesName } from './resolve-once.ts';

const FIX = 'subject-and-referrers-on-push';
/** Together the 4 MiB that clients read of a list. More is left to the fallback tag, which is listed as well. */
const MAX_DESCRIPTOR = 16 * 1024;
const MAX_REFERRERS = 256;

/**
 * Keeps what a stored manifest refers to, when its registry does not, and says so to the client, which then leaves the
 * fallback tag alone. The claim is made only when the record is safe and the list will be manifix's to serve.
 */
export async function keepReferrer(
  services: Services,
  exchange: Exchange,
  { repository, reference }: Extract<Route, { kind: 'manifest' }>,
  bytes: Uint8Array,
  answer: Answer,
): Promise<Answer> {
  const mode = exchange.endpoint.fixes.mode(FIX);
  if (mode === 'off' || answer.status >= 300 || headerValue(answer.headers, 'OCI-Subject') !== undefined) return answer;
  const algorithm = reference.kind === 'digest' ? algorithmOf(reference.digest) : 'sha256';
  const referrer = referrerOf(bytes, digestOf(bytes, algorithm));
  if (referrer === undefined) return answer;
  const obstacle = mode === 'on' ? await keep(services, exchange, repository, referrer) : undefined;
  if (obstacle !== undefined) {
    report(exchange, [{ id: FIX, mode: 'observe', note: `left alone: ${obstacle}` }]);
    return answer;
  }
  reportRepair(exchange, FIX, `keeps the referrer of ${referrer.subject}`);
  return mode === 'on' ? { ...answer, headers: [...answer.headers, ['OCI-Subject', referrer.subject]] } : answer;
}

/** Why it could not be kept; undefined when it was. */
async function keep(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  { subject, descriptor }: Referrer,
): Promise<string | undefined> {
  const upstream = exchange.endpoint.upstream.name;
  if (!(await isLeftToManifix(exchange, { kind: 'referrers', repository, digest: subject }))) {
    return 'the registry may have a referrers API';
  }
  const known = services.facts.referrers(upstream, repository, subject);
  if (known === undefined) return 'the list of referrers could not be read';
  if (known.length >= MAX_REFERRERS || JSON.stringify(descriptor).length > MAX_DESCRIPTOR) {
    return 'the list of referrers would grow too large';
  }
  try {
    services.facts.putReferrer(upstream, repository, { subject, descriptor });
    // Lists that were asked for since the registry had it lack it.
    services.changes.changed(changesName(upstream, repository));
    return undefined;
  } catch (error) {
    services.telemetry.warn('a referrer could not be kept', { digest: descriptor.digest, err: error });
    return 'the referrer could not be kept';
  }
}

/** Whether the registry says of this very list that it has no API; silence and refusals are no such word. */
async function isLeftToManifix(exchange: Exchange, route: Extract<ListRoute, { kind: 'referrers' }>): Promise<boolean> {
  const headers = readHeaders(exchange.request.headers);
  const question = { method: 'GET', route, query: '', headers, clientHeaders: headers, hasBody: false };
  try {
    const fetched = await fetchList(exchange, route, question);
    if (fetched.kind === 'stream') fetched.response.body.destroy();
    return fetched.kind === 'refused' && lacksReferrersApi(fetched.refusal.status);
  } catch (error) {
    if (error instanceof RegistryError) return false;
    throw error;
  }
}

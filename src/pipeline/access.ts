import { challengeOf, parseChallenges } from '../domain/challenge.ts';
import { isCredentialField } from '../domain/credentials.ts';
import { algorithmOf, type Digest, parseDigest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import { type HeaderList, headerValue, headerValues } from '../domain/headers.ts';
import { parseMediaType } from '../domain/media-type.ts';
import { isOutage, outageError } from '../domain/outage.ts';
import type { RepositoryName } from '../domain/reference.ts';
import { formatRoute } from '../domain/route-path.ts';
import { inTime } from '../lib/in-time.ts';
import { askHead } from './ask-head.ts';
import { noteDemands } from './demands.ts';
import type { Exchange } from './exchange.ts';
import type { ReadAccess, Refusal, Services } from './ports.ts';
import type { LinkKind } from './ports-facts.ts';

/** Whether this caller was lately seen to read this content in this repository, so that nobody needs to be asked. */
export function hasReadAccess(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  kind: LinkKind,
  digest: Digest,
): boolean {
  const { name, authority } = exchange.endpoint.upstream;
  if (services.facts.link(name, repository, kind, digest) === undefined) return false;
  // Where the registry sees one account only, whoever may use the endpoint may read what that account was served.
  return authority === 'own' || services.grants.has(name, repository, exchange.caller.identity);
}

/** Records that the registry served this content of this repository to this caller. */
export function recordReadAccess(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  kind: LinkKind,
  digest: Digest,
): void {
  const upstream = exchange.endpoint.upstream.name;
  const { anonymous, identity } = exchange.caller;
  services.grants.add(upstream, repository, identity);
  if (anonymous && !showsToken(exchange) && services.facts.demands(upstream) === undefined)
    noteDemands(services.facts, exchange.endpoint.upstream, { status: 200, headers: [] });
  if (anonymous && showsToken(exchange)) services.openToTokens.put(openName(exchange, repository), {}, OPEN_FOR);
  const known = services.facts.link(upstream, repository, kind, digest);
  if (known === 'open' || (known === 'private' && !anonymous)) return;
  services.facts.putLink(upstream, repository, kind, digest, anonymous ? 'open' : 'private');
}

/** For how long a repository counts as open to tokens after one that everybody gets was served there, in milliseconds. */
const OPEN_FOR = 60 * 60_000;

function openName({ endpoint }: Exchange, repository: RepositoryName): string {
  return `${endpoint.upstream.name}\n${repository}`;
}

function showsToken({ endpoint, request }: Exchange): boolean {
  return endpoint.upstream.authority === 'caller' && headerValue(request.headers, 'Authorization') !== undefined;
}

/** Whether a refusal is only the way in which clients learn to get a token, where tokens that everybody gets open the repository. */
export function isCallForToken(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  { status, headers }: Pick<Refusal, 'status' | 'headers'>,
): boolean {
  if (status !== 401 || showsToken(exchange)) return false;
  const challenges = parseChallenges(headerValues(headers, 'WWW-Authenticate'));
  return (
    challengeOf(challenges, 'bearer') !== undefined &&
    services.openToTokens.get(openName(exchange, repository)) !== undefined
  );
}

/**
 * Records that the registry refused this content to this caller. What is refused to a caller without credentials is not
 * open to all any more, so that no outage brings back what was made private.
 */
export function recordRefusal(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  kind: LinkKind,
  digest: Digest,
  refusal: Pick<Refusal, 'status' | 'headers'>,
): void {
  const upstream = exchange.endpoint.upstream.name;
  if (!exchange.caller.anonymous || services.facts.link(upstream, repository, kind, digest) !== 'open') return;
  if (isCallForToken(services, exchange, repository, refusal)) return;
  services.facts.putLink(upstream, repository, kind, digest, 'private');
}

/**
 * Asks the registry with the caller's own credentials whether it serves this content from this repository. Content that
 * a caller without credentials was served stays readable while the registry cannot answer.
 */
export async function proveReadAccess(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  kind: LinkKind,
  digest: Digest,
  headers: HeaderList = exchange.request.headers,
): Promise<ReadAccess> {
  if (hasReadAccess(services, exchange, repository, kind, digest)) return { outcome: 'allowed' };
  const { endpoint, caller } = exchange;
  const accept = headerValues(headers, 'Accept');
  // Who has nobody to get a token from is told something else than who shows none.
  const asks = [caller.identity, caller.withoutToken !== undefined, accept];
  const question = JSON.stringify([endpoint.upstream.name, repository, kind, digest, ...asks]);
  const ask = () =>
    services.questions.access(question, () => askForAccess(services, exchange, repository, kind, digest, headers));
  if (services.facts.link(endpoint.upstream.name, repository, kind, digest) !== 'open') return ask();
  // Nobody waits for a registry that keeps silent about content that it serves to all.
  const outlook = endpoint.upstream.outlook('HEAD', headers);
  return (outlook.ask ? await inTime(ask(), outlook.patience) : undefined) ?? { outcome: 'allowed' };
}

async function askForAccess(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  kind: LinkKind,
  digest: Digest,
  headers: HeaderList,
): Promise<ReadAccess> {
  const route =
    kind === 'blob'
      ? formatRoute({ kind, repository, digest })
      : formatRoute({ kind, repository, reference: { kind: 'digest', digest } });
  try {
    const hurried = services.facts.link(exchange.endpoint.upstream.name, repository, kind, digest) === 'open';
    const answer = await askHead(services, exchange, { kind, path: route, headers: readHeaders(headers), hurried });
    if (answer.status === 200 && confirms(answer.headers, digest)) {
      recordReadAccess(services, exchange, repository, kind, digest);
      return { outcome: 'allowed' };
    }
    if (answer.status === 200) return { outcome: 'unreachable', error: wrongAnswer(digest) };
    const reason = reasonOfOutage(exchange, answer);
    if (reason === undefined) {
      recordRefusal(services, exchange, repository, kind, digest, answer);
      if (answer.status === 404) services.facts.dropLink(exchange.endpoint.upstream.name, repository, kind, digest);
      return { outcome: 'refused', status: answer.status, headers: answer.headers };
    }
    return outage(services, exchange, repository, kind, digest, reason);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return outage(services, exchange, repository, kind, digest, error);
  }
}

/**
 * Whether an answer with status 200 is about this content. A login page is not: it comes with 200 for any URL, has no
 * digest and says that it is HTML.
 */
export function confirms(headers: HeaderList, digest: Digest): boolean {
  const announced = parseDigest(headerValue(headers, 'Docker-Content-Digest') ?? '');
  if (announced !== undefined && algorithmOf(announced) === algorithmOf(digest)) return announced === digest;
  return parseMediaType(headerValue(headers, 'Content-Type')) !== 'text/html';
}

/**
 * Why an answer says nothing about the content: the registry is overloaded or broken, or refuses a caller who had nobody to get
 * a token from. Undefined when it does say something.
 */
function reasonOfOutage(
  { caller }: Exchange,
  { status, headers }: Pick<Refusal, 'status' | 'headers'>,
): RegistryError | undefined {
  if (isOutage(status)) return outageError(status, headers);
  return status === 401 ? caller.withoutToken : undefined;
}

function wrongAnswer(digest: Digest): RegistryError {
  return new RegistryError('UNKNOWN', {
    status: 502,
    message: 'the registry answered with something else than what was asked for',
    explanation: `Asked about ${digest}, the registry answered 200 with another digest or an HTML page. A login page or a proxy may stand in front of it.`,
    fix: 'html-200',
  });
}

function outage(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  kind: LinkKind,
  digest: Digest,
  error: RegistryError,
): ReadAccess {
  const access = services.facts.link(exchange.endpoint.upstream.name, repository, kind, digest);
  return access === 'open' ? { outcome: 'allowed' } : { outcome: 'unreachable', error };
}

const FORWARDED_ON_READS = new Set(['accept', 'user-agent', 'via']);

/**
 * The client's fields that a read needs: these, and those by which callers are told apart. An allow-list, so that no odd field of one
 * client can shape what the cache keeps for all ("cache-poisoned denial of service").
 */
export function readHeaders(headers: HeaderList): HeaderList {
  return headers.filter(([name]) => FORWARDED_ON_READS.has(name.toLowerCase()) || isCredentialField(name));
}

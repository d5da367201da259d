import type { NamedContent } from '../domain/content-policy.ts';
import { type Digest, parseDigest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import { isOutage, outageError } from '../domain/outage.ts';
import { decodeQueryValue, queryText } from '../domain/query.ts';
import { parseRepositoryName, type RepositoryName } from '../domain/reference.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { RequestView } from '../fixes/fix.ts';
import { withoutMount } from '../fixes/upload-query.ts';
import { readHeaders } from './access.ts';
import type { Answer, Exchange } from './exchange.ts';
import type { Services } from './ports.ts';
import { readRefusal, relayRefusal } from './relay.ts';
import type { ManifestRequest } from './resolve-manifest.ts';

/**
 * Refuses a manifest that the operator denies, by the tag or the digest that it was asked for as, or by its own. Only to be
 * called once the caller is known to be allowed to read it, so that nobody else learns that it is denied.
 */
export function refuseDenied(exchange: Exchange, { repository, reference }: ManifestRequest, digest?: Digest): void {
  if (exchange.endpoint.content === undefined) return;
  const asked = reference.kind === 'digest' ? [reference.digest] : [];
  const digests = digest === undefined ? asked : [...asked, digest];
  const denial = denialOf(exchange, repository, {
    tag: reference.kind === 'tag' ? reference.tag : undefined,
    digests,
  });
  if (denial !== undefined) throw denial;
}

/** What the operator has to say about this content; undefined when it is not denied. */
export function denialOf(
  { endpoint, principal }: Exchange,
  repository: RepositoryName,
  content: NamedContent,
  action: 'pull' | 'push' = 'pull',
): RegistryError | undefined {
  const message = endpoint.content?.denial(repository, content);
  if (message === undefined) return undefined;
  return new RegistryError('DENIED', {
    message,
    explanation: `The endpoint "${endpoint.name}" denies this content, whatever the registry says (content.deny).`,
    policy: 'deny',
    denied: {
      ...{ action, endpoint: endpoint.name, repository, user: principal.user },
      reference: content.tag ?? content.digests?.[0],
    },
  });
}

/**
 * The answer to a push of denied content: the registry's own refusal for a caller whom it lets do nothing with the repository;
 * undefined when nothing is denied.
 * @throws RegistryError with the operator's message
 */
export async function answerDeniedPush(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  content: NamedContent,
): Promise<Answer | undefined> {
  const denial = denialOf(exchange, repository, content, 'push');
  if (denial === undefined) return undefined;
  const { upstream } = exchange.endpoint;
  if (upstream.authority === 'own' || services.grants.has(upstream.name, repository, exchange.caller.identity))
    throw denial;
  const path = `${formatRoute({ kind: 'tags', repository })}?n=1`;
  const headers = readHeaders(exchange.request.headers);
  const answer = await upstream.request({ method: 'GET', path, headers, signal: exchange.signal });
  const refusal = await readRefusal(answer);
  if (isOutage(refusal.status)) throw outageError(refusal.status, refusal.headers);
  // A repository that is not there yet is one that is pushed to for the first time.
  if (refusal.status !== 401 && refusal.status !== 403) throw denial;
  return { ...relayRefusal(services, exchange, exchange.request, refusal), cache: 'bypass' };
}

/** All digests in the query of an upload, whatever their parameters are called: servers read odd spellings differently. */
export function digestsInQuery(query: string): readonly Digest[] {
  return query.split(/[&;?]/).flatMap((part) => parseDigest(decodeQueryValue(part.slice(part.indexOf('=') + 1))) ?? []);
}

/** A POST without a mount from where the blob is denied, so that the blob has to be uploaded. */
export function withoutDeniedMount(exchange: Exchange, sent: RequestView): RequestView {
  const from = parseRepositoryName(queryText(sent.query, 'from') ?? '');
  if (from === undefined || exchange.endpoint.content === undefined) return sent;
  const denial = denialOf(exchange, from, { digests: digestsInQuery(sent.query) });
  return denial === undefined ? sent : { ...sent, query: withoutMount(sent.query) };
}

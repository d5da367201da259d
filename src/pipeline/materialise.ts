import type { Digest } from '../domain/digest.ts';
import { withHeader } from '../domain/headers.ts';
import { inspectManifest, type ManifestInspection } from '../domain/manifest.ts';
import { OCTET_STREAM } from '../domain/media-type.ts';
import { joinQueries } from '../domain/query.ts';
import type { RepositoryName } from '../domain/reference.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { RequestView } from '../fixes/fix.ts';
import { readHeaders } from './access.ts';
import type { Exchange } from './exchange.ts';
import type { Services } from './ports.ts';
import type { DerivedManifest } from './ports-facts.ts';
import { nextInSession } from './session-location.ts';

/**
 * Pushes what manifix keeps and a pushed manifest refers to, with the caller's credentials: the client pulled it and believes
 * that the registry has it. Once each, because a manifest may name the same one thousands of times.
 */
export async function materialise(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  { descriptors }: ManifestInspection,
): Promise<void> {
  const upstream = exchange.endpoint.upstream.name;
  const named = descriptors.filter(({ role }) => role === 'child' || role === 'subject');
  for (const digest of new Set(named.map((descriptor) => descriptor.digest))) {
    const derived = digest && services.facts.derived(upstream, repository, digest);
    if (derived !== undefined) await pushDerived(services, exchange, repository, derived);
  }
  const config = descriptors.find(({ role }) => role === 'config')?.digest;
  if (config !== undefined) await pushKeptConfig(services, exchange, repository, config);
}

async function pushDerived(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  derived: DerivedManifest,
): Promise<void> {
  await materialise(services, exchange, repository, inspectManifest(derived.bytes));
  const answer = await exchange.endpoint.upstream.request({
    method: 'PUT',
    path: formatRoute({ kind: 'manifest', repository, reference: { kind: 'digest', digest: derived.digest } }),
    headers: withHeader(readHeaders(exchange.request.headers), 'Content-Type', derived.mediaType),
    body: derived.bytes,
  });
  answer.body.destroy();
  if (answer.status < 300) return;
  services.telemetry.warn('a derived manifest could not be pushed', { digest: derived.digest, status: answer.status });
}

/** In a session of its own; the registry then says of the manifest itself what it lacks. */
async function pushKeptConfig(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  digest: Digest,
): Promise<void> {
  const { upstream } = exchange.endpoint;
  const kept = services.facts.keptConfig(upstream.name, repository, digest);
  if (kept === undefined) return;
  const headers = withHeader(readHeaders(exchange.request.headers), 'Content-Type', OCTET_STREAM);
  const route = { kind: 'upload-start', repository, trailingSlash: true } as const;
  const opening: RequestView = { ...exchange.request, method: 'POST', route, query: '', headers };
  const path = formatRoute(route);
  const opened = await upstream.request({ method: 'POST', path, headers, body: new Uint8Array() });
  opened.body.resume();
  if (opened.status >= 300) return notPushed(services, digest, opened.status);
  const next = await nextInSession(services, exchange, opening, opened);
  const query = joinQueries(next.query, `digest=${digest}`);
  const stored = await upstream.request({
    method: 'PUT',
    path: `${formatRoute(next.route)}?${query}`,
    headers,
    body: kept.bytes,
  });
  stored.body.resume();
  if (stored.status >= 300) notPushed(services, digest, stored.status);
}

function notPushed(services: Services, digest: Digest, status: number): void {
  services.telemetry.warn('the config of a converted image could not be pushed', { digest, status });
}

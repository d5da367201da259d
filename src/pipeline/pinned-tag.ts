import type { Digest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import type { RepositoryName, Tag } from '../domain/reference.ts';
import { recordReadAccess } from './access.ts';
import { answerInTime, freshAnswer } from './answer-resolution.ts';
import type { Answer, Exchange } from './exchange.ts';
import { isGone } from './gone.ts';
import { withMark } from './policy-mark.ts';
import type { Services } from './ports.ts';
import { type ManifestRequest, requestOf, resolveManifest } from './resolve-manifest.ts';
import { type Flight, resolveOnce } from './resolve-once.ts';
import { serveManifest } from './serve-manifest.ts';

/** What a tag is pinned to: by command, for all endpoints of the upstream, or else by the configuration of this one. */
export function pinOf(
  { pins }: Services,
  { endpoint }: Exchange,
  repository: RepositoryName,
  tag: Tag,
): Digest | undefined {
  return pins.of(endpoint.upstream.name, repository, tag)?.digest ?? endpoint.content?.pinOf(repository, tag);
}

/**
 * Serves a tag with the digest that it is pinned to, as if the registry had said it. What of it is derived is derived; who may read
 * it is asked by the digest, or, when only the cache has it any more, by the repository.
 */
export async function servePinned(
  services: Services,
  flight: Flight,
  exchange: Exchange,
  request: ManifestRequest,
  tag: Tag,
  pinned: Digest,
): Promise<Answer> {
  const upstream = exchange.endpoint.upstream.name;
  // An operator copies what a client shows, which may be a derived digest.
  const digest = services.facts.derived(upstream, request.repository, pinned)?.original ?? pinned;
  const hit = await freshAnswer(services, exchange, request, digest, Number.POSITIVE_INFINITY);
  const answer = hit ?? (await askForPinned(services, flight, exchange, request, tag, digest));
  return withMark(answer, 'pin', `the tag is pinned to ${digest}`);
}

async function askForPinned(
  services: Services,
  flight: Flight,
  exchange: Exchange,
  request: ManifestRequest,
  tag: Tag,
  digest: Digest,
): Promise<Answer> {
  const { repository } = request;
  const upstream = exchange.endpoint.upstream.name;
  // The cache is one for all repositories, and a pin is no right to what another one has. The question may end what is known.
  const wasHere =
    services.facts.link(upstream, repository, 'manifest', digest) !== undefined ||
    services.tagHistory.of(upstream, repository, tag).some((sighting) => sighting.digest === digest);
  const kept = await services.manifests.get(digest);
  const headFirst = kept !== undefined || exchange.request.method === 'HEAD';
  const asked = requestOf(request, digest);
  const answer = await answerInTime(services, exchange, request, digest, () =>
    resolveOnce(services, flight, exchange, { request: asked, view: '', headFirst }, () =>
      resolveManifest(services, exchange, asked, headFirst),
    ),
  );
  if (!(await isGone(exchange, request, answer.status))) return answer;
  if (kept === undefined || !wasHere) throw nobodyHas(digest);
  // Clients go on with the digest, and with the blobs that it names.
  recordReadAccess(services, exchange, repository, 'manifest', digest);
  return serveManifest(services, exchange, request, { manifest: kept, cache: 'hit', stored: true });
}

function nobodyHas(digest: Digest): RegistryError {
  return new RegistryError('MANIFEST_UNKNOWN', {
    detail: { pinned: digest },
    explanation:
      `The tag is pinned to ${digest}, which neither the registry nor the cache has. ` +
      'Pin it to another digest, or let the registry say again what it means (manifix tag unpin, or content.pins).',
    policy: 'pin',
  });
}

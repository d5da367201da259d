import type { Digest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import type { RepositoryName, Tag } from '../domain/reference.ts';
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
  pinned: Digest,
): Promise<Answer> {
  const { repository } = request;
  // An operator copies what a client shows, which may be a derived digest.
  const digest = services.facts.derived(exchange.endpoint.upstream.name, repository, pinned)?.original ?? pinned;
  const asked = requestOf(request, digest);
  const serve = async (): Promise<Answer> => {
    const hit = await freshAnswer(services, exchange, request, digest, Number.POSITIVE_INFINITY);
    if (hit !== undefined) return hit;
    const kept = await services.manifests.get(digest);
    const headFirst = kept !== undefined || exchange.request.method === 'HEAD';
    const answer = await answerInTime(services, exchange, request, digest, () =>
      resolveOnce(services, flight, exchange, { request: asked, view: '', headFirst }, () =>
        resolveManifest(services, exchange, asked, headFirst),
      ),
    );
    if (!(await isGone(exchange, request, answer.status))) return answer;
    if (kept === undefined) throw nobodyHas(digest);
    return serveManifest(services, exchange, request, { manifest: kept, cache: 'hit', stored: true });
  };
  return withMark(await serve(), 'pin', `the tag is pinned to ${digest}`);
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

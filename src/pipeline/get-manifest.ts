import type { Digest } from '../domain/digest.ts';
import type { Route } from '../domain/route.ts';
import { answerInTime, freshAnswer } from './answer-resolution.ts';
import type { ConvertImage } from './convert-image.ts';
import type { Answer, Exchange } from './exchange.ts';
import { getByTag } from './get-manifest-by-tag.ts';
import type { Services } from './ports.ts';
import { report } from './report.ts';
import { type ManifestRequest, requestOf, resolveManifest } from './resolve-manifest.ts';
import { type Flight, resolveOnce } from './resolve-once.ts';
import { serveDerived } from './serve-manifest.ts';

type ManifestRoute = Extract<Route, { kind: 'manifest' }>;

/**
 * GET and HEAD of a manifest. By tag: the digest that is still fresh, or what the registry says now; by digest: the
 * stored bytes once the caller may read them. The bytes then pass the fixes, and HEAD takes the same way as GET.
 */
export async function getManifest(
  services: Services,
  flight: Flight,
  convertImage: ConvertImage,
  exchange: Exchange,
  route: ManifestRoute,
): Promise<Answer> {
  const outcome = exchange.endpoint.fixes.request(exchange.request);
  report(exchange, outcome.applied);
  if (outcome.refuse !== undefined) throw outcome.refuse;
  const request: ManifestRequest = { repository: route.repository, reference: route.reference, sent: outcome.view };
  if (route.reference.kind === 'tag') {
    const serveImage = (digest: Digest) => getByDigest(services, flight, exchange, requestOf(request, digest), digest);
    const answer = await getByTag(
      services,
      flight,
      exchange,
      { ...request, serveImage, convertImage },
      route.reference.tag,
    );
    if (answer.status < 400) {
      services.facts.putPull(exchange.endpoint.upstream.name, route.repository, route.reference.tag, services.now());
    }
    return answer;
  }
  return getByDigest(services, flight, exchange, request, route.reference.digest);
}

async function getByDigest(
  services: Services,
  flight: Flight,
  exchange: Exchange,
  request: ManifestRequest,
  digest: Digest,
): Promise<Answer> {
  const derived = services.facts.derived(exchange.endpoint.upstream.name, request.repository, digest);
  const changed = derived === undefined ? undefined : await serveDerived(services, exchange, request, derived);
  if (changed !== undefined) return changed;
  const hit = await freshAnswer(services, exchange, request, digest, Number.POSITIVE_INFINITY);
  if (hit !== undefined) return hit;
  const headFirst = exchange.request.method === 'HEAD' || (await services.manifests.get(digest)) !== undefined;
  return answerInTime(services, exchange, request, digest, (hurried) => {
    const asked = { ...request, hurried };
    return resolveOnce(services, flight, exchange, { request: asked, view: '', headFirst }, () =>
      resolveManifest(services, exchange, asked, headFirst),
    );
  });
}

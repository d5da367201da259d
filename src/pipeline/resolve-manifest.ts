import { type Digest, parseDigest } from '../domain/digest.ts';
import { type HeaderList, headerValue } from '../domain/headers.ts';
import type { Reference, RepositoryName } from '../domain/reference.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { RequestView } from '../fixes/fix.ts';
import { confirms, isOutage, readHeaders, recordReadAccess } from './access.ts';
import { type Answer, type Exchange, redirectsOf } from './exchange.ts';
import { type FetchedManifest, keptHeaders, readManifest } from './fetch-manifest.ts';
import type { CacheStatus, CanonicalManifest, Refusal, Services, UpstreamResponse } from './ports.ts';
import { readRefusal } from './relay.ts';

/** What a manifest request came to before any fix is applied to the bytes. */
export type Resolved =
  | {
      readonly kind: 'manifest';
      readonly manifest: CanonicalManifest;
      /** The registry's fields of the HEAD that confirmed the manifest, when one was sent. */
      readonly headHeaders?: HeaderList;
      readonly cache: CacheStatus;
      readonly stored: boolean;
      readonly decoded?: string;
      readonly redirected: boolean;
    }
  | Extract<FetchedManifest, { kind: 'stream' }>
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export interface ManifestRequest {
  readonly repository: RepositoryName;
  readonly reference: Reference;
  /** The request as it goes to the registry. */
  readonly sent: RequestView;
  /** By tag: answers with an image of the index in its place. */
  readonly serveImage?: (image: Digest) => Promise<Answer>;
}

/**
 * Asks the registry for a manifest: HEAD first when the digest may be known already, GET only for what is new. Rejects
 * with a RegistryError when the registry cannot be reached or what it sent cannot be served.
 */
export async function resolveManifest(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
  headFirst: boolean,
): Promise<Resolved> {
  if (!headFirst) return getManifestFromUpstream(services, exchange, request);
  const head = await ask(exchange, request, 'HEAD');
  head.body.destroy();
  const digest = head.status === 200 ? announcedDigest(head.headers, request.reference) : undefined;
  const manifest = digest === undefined ? undefined : await services.manifests.get(digest);
  if (manifest === undefined) {
    // A registry that refuses a HEAD says why only in the body of the GET.
    const worthAsking = head.status === 200 || (exchange.request.method === 'GET' && !isOutage(head.status));
    if (worthAsking) return getManifestFromUpstream(services, exchange, request);
    return { kind: 'refused', refusal: { status: head.status, headers: head.headers, text: '' } };
  }
  recordReadAccess(services, exchange, request.repository, 'manifest', manifest.digest);
  const headHeaders = keptHeaders(head.headers);
  return { kind: 'manifest', manifest, headHeaders, cache: 'hit', stored: true, redirected: head.redirected };
}

async function getManifestFromUpstream(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
): Promise<Resolved> {
  const response = await ask(exchange, request, 'GET');
  if (response.status !== 200) return { kind: 'refused', refusal: await readRefusal(response) };
  const fetched = await readManifest(exchange, request.reference, response);
  if (fetched.kind === 'stream') return fetched;
  const { manifest, cacheable, decoded } = fetched;
  const stored = cacheable && (await services.manifests.put(manifest));
  if (cacheable) recordReadAccess(services, exchange, request.repository, 'manifest', manifest.digest);
  // The store hands out one object for one manifest, which is what its prepared answers hang on.
  const kept = stored ? ((await services.manifests.get(manifest.digest)) ?? manifest) : manifest;
  return {
    kind: 'manifest',
    manifest: kept,
    cache: 'miss',
    stored,
    redirected: response.redirected,
    ...(decoded === undefined ? {} : { decoded }),
  };
}

function ask(exchange: Exchange, request: ManifestRequest, method: 'GET' | 'HEAD'): Promise<UpstreamResponse> {
  const { repository, reference, sent } = request;
  return exchange.endpoint.upstream.request({
    method,
    path: formatRoute({ kind: 'manifest', repository, reference }) + (sent.query === '' ? '' : `?${sent.query}`),
    headers: readHeaders(sent.headers),
    redirects: redirectsOf(exchange.endpoint),
  });
}

/** By digest the digest asked for is the one, when the answer is about it; by tag the registry's header says it. */
function announcedDigest(headers: HeaderList, reference: Reference): Digest | undefined {
  if (reference.kind === 'digest') return confirms(headers, reference.digest) ? reference.digest : undefined;
  return parseDigest(headerValue(headers, 'Docker-Content-Digest') ?? '');
}

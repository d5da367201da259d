import { formatAccept } from '../domain/accept.ts';
import { type Digest, parseDigest } from '../domain/digest.ts';
import { type HeaderList, headerValue, withHeader } from '../domain/headers.ts';
import { MANIFEST_TYPES } from '../domain/media-type.ts';
import { isOutage } from '../domain/outage.ts';
import { withQuery } from '../domain/query.ts';
import type { Reference, RepositoryName } from '../domain/reference.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { RequestView } from '../fixes/fix.ts';
import { confirms, readHeaders, recordReadAccess } from './access.ts';
import { type HeadQuestion, isHeadInDoubt, sendHead, settleHead } from './ask-head.ts';
import type { ConvertImage } from './convert-image.ts';
import { type Answer, type Exchange, redirectsOf, throttledOf } from './exchange.ts';
import { type FetchedManifest, keptHeaders, readManifest } from './fetch-manifest.ts';
import type { CacheStatus, CanonicalManifest, Refusal, Services } from './ports.ts';
import { readRefusal } from './relay.ts';
import { reportWait } from './report.ts';
import { mayBeDueToAccept, widened } from './widen-accept.ts';

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

/** A manifest on its way to the client, before the fixes. */
export interface ManifestToServe {
  readonly manifest: CanonicalManifest;
  readonly headHeaders?: HeaderList;
  readonly cache: CacheStatus;
  readonly stored: boolean;
}

/** Serves what a tag means, or what the policy on content wants served in its place. */
export type HoldBack = (
  found: ManifestToServe,
  serve: (manifest: ManifestToServe) => Promise<Answer>,
) => Promise<Answer>;

export interface ManifestRequest {
  readonly repository: RepositoryName;
  readonly reference: Reference;
  /** The request as it goes to the registry. */
  readonly sent: RequestView;
  /** Whether an older answer will do, so that nobody waits until the registry allows more requests. */
  readonly hurried?: boolean;
  /** By tag: answers with an image of the index in its place. */
  readonly serveImage?: (image: Digest) => Promise<Answer>;
  /** By tag: makes a schema 2 image of a schema 1 image. */
  readonly convertImage?: ConvertImage;
  /** By tag, where the endpoint lets it cool down. */
  readonly holdBack?: HoldBack;
}

/** The same for a digest, whatever the client accepts: by digest it is never another manifest for that. */
export function requestOf({ repository, sent }: ManifestRequest, digest: Digest): ManifestRequest {
  const headers = withHeader(sent.headers, 'Accept', formatAccept(MANIFEST_TYPES));
  return { repository, reference: { kind: 'digest', digest }, sent: { ...sent, headers } };
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
  const resolved = await resolveAsAsked(services, exchange, request, headFirst);
  if (resolved.kind !== 'refused') return resolved;
  const wider = widened(services, exchange, request.sent, resolved.refusal);
  return wider === undefined ? resolved : resolveAsAsked(services, exchange, { ...request, sent: wider }, headFirst);
}

async function resolveAsAsked(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
  headFirst: boolean,
): Promise<Resolved> {
  const { fixes, upstream } = exchange.endpoint;
  const headIsBroken =
    fixes.mode('head-unsupported') === 'on' && services.defects.proven(upstream.name, 'head-unsupported') !== undefined;
  if (!headFirst || headIsBroken) return getManifestFromUpstream(services, exchange, request);
  const question = questionOf(request);
  const head = await sendHead(services, exchange, question);
  const digest = head.status === 200 ? announcedDigest(head.headers, request.reference) : undefined;
  const manifest = digest === undefined ? undefined : await services.manifests.get(digest);
  if (manifest !== undefined) {
    recordReadAccess(services, exchange, request.repository, 'manifest', manifest.digest);
    const headHeaders = keptHeaders(head.headers);
    return { kind: 'manifest', manifest, headHeaders, cache: 'hit', stored: true, redirected: head.redirected };
  }
  if (head.status === 200) return getManifestFromUpstream(services, exchange, request);
  const refusal = { status: head.status, headers: head.headers, text: '' };
  const inDoubt = isHeadInDoubt(services, exchange, question, head.status);
  // A registry that refuses a HEAD says why only in the body of the GET.
  const saysWhy = exchange.request.method === 'GET' && !isOutage(head.status);
  if (!inDoubt && !saysWhy && !mayBeDueToAccept(exchange, request.sent, refusal)) return { kind: 'refused', refusal };
  const resolved = await getManifestFromUpstream(services, exchange, request);
  const status = resolved.kind === 'refused' ? resolved.refusal.status : 200;
  if (inDoubt) settleHead(services, exchange, question, head.status, status);
  return resolved;
}

async function getManifestFromUpstream(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
): Promise<Resolved> {
  const { path, headers } = questionOf(request);
  const { endpoint } = exchange;
  const policy = {
    redirects: redirectsOf(endpoint),
    throttled: request.hurried ? 'pass' : throttledOf(endpoint),
  } as const;
  const response = await endpoint.upstream.request({ method: 'GET', path, headers, ...policy });
  reportWait(exchange, response);
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

function questionOf({ repository, reference, sent, hurried = false }: ManifestRequest): HeadQuestion {
  const path = withQuery(formatRoute({ kind: 'manifest', repository, reference }), sent.query);
  return { kind: 'manifest', path, headers: readHeaders(sent.headers), hurried };
}

/** By digest the digest asked for is the one, when the answer is about it; by tag the registry's header says it. */
function announcedDigest(headers: HeaderList, reference: Reference): Digest | undefined {
  if (reference.kind === 'digest') return confirms(headers, reference.digest) ? reference.digest : undefined;
  return parseDigest(headerValue(headers, 'Docker-Content-Digest') ?? '');
}

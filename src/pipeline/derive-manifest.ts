import { formatAccept } from '../domain/accept.ts';
import { attachmentTags } from '../domain/attachments.ts';
import { describeDerivation } from '../domain/derivation.ts';
import { type Digest, digestOf } from '../domain/digest.ts';
import { type HeaderList, withHeader } from '../domain/headers.ts';
import { MANIFEST_TYPES } from '../domain/media-type.ts';
import { formatReference, parseTag } from '../domain/reference.ts';
import { mayLackReferrersApi } from '../domain/referrers.ts';
import type { Route } from '../domain/route.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { ManifestOutcome } from '../fixes/run.ts';
import { readBody } from '../lib/read-body.ts';
import { readHeaders } from './access.ts';
import { recordAudit } from './audit.ts';
import type { Exchange } from './exchange.ts';
import { withFreshness } from './freshness.ts';
import type { Services } from './ports.ts';
import type { DerivedManifest } from './ports-facts.ts';
import type { ManifestRequest } from './resolve-manifest.ts';
import { warning } from './warning.ts';

type Derivation = Omit<NonNullable<ManifestOutcome['derive']>, 'fix'> & Pick<DerivedManifest, 'config'>;

export type Derived =
  | { readonly kind: 'derived'; readonly manifest: DerivedManifest }
  | { readonly kind: 'declined'; readonly reason: string };

const SIGNED: Derived = { kind: 'declined', reason: 'left alone: signatures or referrers of the original exist' };

/**
 * Makes changed bytes a manifest of their own: stored durably before anybody hears its digest. Declines when signatures
 * or referrers of the original exist, because no signature over the original verifies for the derived digest.
 */
export async function deriveManifest(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
  original: Digest,
  derivation: Derivation,
): Promise<Derived> {
  const upstream = exchange.endpoint.upstream.name;
  const { repository } = request;
  const digest = digestOf(derivation.bytes);
  const signed = derivation.force ? false : services.facts.signed(upstream, repository, original);
  if (signed === true) return SIGNED;
  const known = services.facts.derived(upstream, repository, digest);
  if (known !== undefined) return { kind: 'derived', manifest: known };
  const question = JSON.stringify([upstream, repository, original, exchange.caller.identity]);
  const look = () => lookForSignatures(exchange, request, original);
  const found = signed ?? (await services.questions.signatures(question, look));
  if (found === undefined)
    return { kind: 'declined', reason: 'left alone: the registry did not say whether it is signed' };
  if (!derivation.force) services.facts.putSigned(upstream, repository, original, found);
  if (found) return SIGNED;
  const { force: _, ...made } = derivation;
  const manifest: DerivedManifest = { digest, original, ...made };
  try {
    services.facts.putDerived(upstream, repository, manifest);
  } catch (error) {
    services.telemetry.warn('a derived manifest could not be stored', { original, digest, err: error });
    return { kind: 'declined', reason: 'left alone: the derived manifest could not be stored' };
  }
  const reference = formatReference(request.reference);
  const detail = { kind: manifest.kind, original };
  recordAudit(services, exchange, { event: 'derived', outcome: 'done', repository, reference, digest, detail });
  return { kind: 'derived', manifest };
}

/** The header fields of a derived manifest, the same by tag and by digest apart from how long they may be kept. */
export function derivedHeaders(derived: DerivedManifest, referenceKind: 'tag' | 'digest'): HeaderList {
  const headers: HeaderList = [
    ['Content-Type', derived.mediaType],
    ['Content-Length', String(derived.bytes.length)],
    ['Docker-Content-Digest', derived.digest],
    ['Docker-Distribution-Api-Version', 'registry/2.0'],
    ['ETag', `"${derived.digest}"`],
    // What was pushed is itself the original.
    ...(derived.kind === 'as-pushed' ? [] : [['Manifix-Original-Digest', derived.original] as const]),
    warning(describeDerivation(derived.kind, derived.original)),
  ];
  return withFreshness(headers, referenceKind);
}

/** True or false once the registry answered all questions; undefined when it left one open. */
async function lookForSignatures(
  exchange: Exchange,
  request: ManifestRequest,
  original: Digest,
): Promise<boolean | undefined> {
  const questions = attachmentTags(original).map((name) => tagExists(exchange, request, name));
  const answers = await Promise.all([...questions, hasReferrers(exchange, request, original)]);
  if (answers.includes(true)) return true;
  return answers.includes(undefined) ? undefined : false;
}

async function tagExists(exchange: Exchange, request: ManifestRequest, name: string): Promise<boolean | undefined> {
  const tag = parseTag(name);
  if (tag === undefined) return false;
  const { repository } = request;
  const answer = await ask(exchange, request, 'HEAD', {
    kind: 'manifest',
    repository,
    reference: { kind: 'tag', tag },
  });
  answer?.body.destroy();
  if (answer?.status === 200) return true;
  return answer?.status === 404 ? false : undefined;
}

const MAX_REFERRERS = 4 * 1024 * 1024;

async function hasReferrers(
  exchange: Exchange,
  request: ManifestRequest,
  original: Digest,
): Promise<boolean | undefined> {
  const answer = await ask(exchange, request, 'GET', {
    kind: 'referrers',
    repository: request.repository,
    digest: original,
  });
  if (answer === undefined) return undefined;
  const body = await readBody(answer.body, MAX_REFERRERS).catch(() => undefined);
  if (mayLackReferrersApi(answer.status)) return false;
  if (answer.status !== 200 || body === undefined) return undefined;
  if (body === 'too-large') return true;
  try {
    const { manifests } = JSON.parse(Buffer.from(body).toString()) as { manifests?: unknown };
    return Array.isArray(manifests) && manifests.length > 0;
  } catch {
    // A login page with status 200 is how some registries without the API answer.
    return false;
  }
}

function ask(exchange: Exchange, request: ManifestRequest, method: 'GET' | 'HEAD', route: Route) {
  // Registries hide what the Accept does not name, and the client's may name less than signatures need.
  const headers = withHeader(readHeaders(request.sent.headers), 'Accept', formatAccept(MANIFEST_TYPES));
  return exchange.endpoint.upstream.request({ method, path: formatRoute(route), headers }).catch(() => undefined);
}

import type { Digest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import { OCI_MANIFEST } from '../domain/media-type.ts';
import type { Route } from '../domain/route.ts';
import { digestOfLoneTag } from './delete-tag.ts';
import type { Answer, Exchange } from './exchange.ts';
import { passThrough } from './pass-through.ts';
import type { Services } from './ports.ts';
import type { DerivedManifest } from './ports-facts.ts';
import { reportRepair } from './report.ts';
import { changesName } from './resolve-once.ts';

type ManifestRoute = Extract<Route, { kind: 'manifest' }>;

/**
 * DELETE of a manifest. A derived digest is not the registry's: it is explained, or, when the operator chose so, the
 * original is deleted in its place. What was pushed means what the registry made of it. What is gone is forgotten.
 */
export async function deleteManifest(services: Services, exchange: Exchange, route: ManifestRoute): Promise<Answer> {
  const { repository, reference } = route;
  const before = exchange.applied.length;
  const answer = await deleteDerived(services, exchange, route);
  if (reference.kind !== 'tag' || !refusesTags(answer.status)) return answer;
  // The client never sees the refusal, nor what was made of it.
  if (exchange.endpoint.fixes.mode('delete-by-tag') === 'on') exchange.applied.splice(before);
  reportRepair(exchange, 'delete-by-tag', 'deleted the only tag of a manifest by its digest');
  if (exchange.endpoint.fixes.mode('delete-by-tag') !== 'on') return answer;
  const digest = await digestOfLoneTag(exchange, repository, reference.tag);
  return deleteAt(services, exchange, { ...route, reference: { kind: 'digest', digest } });
}

/** docker-registry 2 answers 400 to a tag; others say that they cannot do it. */
function refusesTags(status: number): boolean {
  return status === 400 || status === 405 || status === 501;
}

async function deleteDerived(services: Services, exchange: Exchange, route: ManifestRoute): Promise<Answer> {
  const { repository, reference } = route;
  const derived =
    reference.kind === 'digest'
      ? services.facts.derived(exchange.endpoint.upstream.name, repository, reference.digest)
      : undefined;
  if (derived === undefined) return deleteAt(services, exchange, route);
  const fix = fixOf(derived);
  if (derived.kind === 'as-pushed' || exchange.endpoint.fixes.option(fix, 'delete') === 'original')
    return deleteAt(services, exchange, { ...route, reference: { kind: 'digest', digest: derived.original } });
  const answer = await deleteAt(services, exchange, route);
  if (answer.status === 404) throw derivedIsNotThere(derived.original, fix);
  return answer;
}

async function deleteAt(services: Services, exchange: Exchange, route: ManifestRoute): Promise<Answer> {
  const upstream = exchange.endpoint.upstream.name;
  const { repository, reference } = route;
  const answer = await passThrough(services, { ...exchange, request: { ...exchange.request, route } });
  if (answer.status >= 300) return answer;
  if (reference.kind === 'digest') {
    services.facts.dropDerived(upstream, repository, reference.digest);
    services.facts.dropLink(upstream, repository, 'manifest', reference.digest);
    services.facts.dropReferrer(upstream, repository, reference.digest);
  }
  services.changes.changed(changesName(upstream, repository));
  // A deleted digest takes all its tags with it.
  services.facts.dropTags(upstream, repository, reference.kind === 'tag' ? reference.tag : undefined);
  return answer;
}

/** The fix that made it, which has the option. */
function fixOf({ kind, mediaType }: DerivedManifest): string {
  if (kind === 'converted') return 'schema1-only-image';
  if (kind === 'relabelled') return 'oci-vs-docker-relabel';
  return mediaType === OCI_MANIFEST ? 'manifest-without-mediatype' : 'index-without-mediatype';
}

function derivedIsNotThere(original: Digest, fix: string): RegistryError {
  return new RegistryError('MANIFEST_UNKNOWN', {
    detail: { original },
    explanation: `The registry does not have this digest: manifix derived it from ${original}. Delete ${original} instead.`,
    fix,
  });
}

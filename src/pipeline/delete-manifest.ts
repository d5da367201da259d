import type { Digest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import type { Route } from '../domain/route.ts';
import type { Answer, Exchange } from './exchange.ts';
import { passThrough } from './pass-through.ts';
import type { Services } from './ports.ts';
import { changesName } from './resolve-once.ts';

type ManifestRoute = Extract<Route, { kind: 'manifest' }>;

/**
 * DELETE of a manifest. A derived digest is not the registry's: it is explained, or, when the operator chose so, the
 * original is deleted in its place. What was pushed means what the registry made of it. What is gone is forgotten.
 */
export async function deleteManifest(services: Services, exchange: Exchange, route: ManifestRoute): Promise<Answer> {
  const upstream = exchange.endpoint.upstream.name;
  const { repository, reference } = route;
  const derived =
    reference.kind === 'digest' ? services.facts.derived(upstream, repository, reference.digest) : undefined;
  const mapped =
    derived !== undefined &&
    (derived.kind === 'as-pushed' ||
      exchange.endpoint.fixes.option('index-without-mediatype', 'delete') === 'original');
  const target: ManifestRoute = mapped ? { ...route, reference: { kind: 'digest', digest: derived.original } } : route;
  const answer = await passThrough(services, { ...exchange, request: { ...exchange.request, route: target } });
  if (derived !== undefined && !mapped && answer.status === 404) throw derivedIsNotThere(derived.original);
  if (answer.status < 300) {
    if (target.reference.kind === 'digest') {
      services.facts.dropDerived(upstream, repository, target.reference.digest);
      services.facts.dropLink(upstream, repository, 'manifest', target.reference.digest);
    }
    services.changes.changed(changesName(upstream, repository));
    // A deleted digest takes all its tags with it.
    services.facts.dropTags(upstream, repository, target.reference.kind === 'tag' ? target.reference.tag : undefined);
  }
  return answer;
}

function derivedIsNotThere(original: Digest): RegistryError {
  return new RegistryError('MANIFEST_UNKNOWN', {
    detail: { original },
    explanation: `The registry does not have this digest: manifix derived it from ${original} by adding a mediaType. Delete ${original} instead.`,
    fix: 'index-without-mediatype',
  });
}

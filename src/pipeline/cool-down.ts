import type { View } from '../domain/accept.ts';
import { type CoolDownRule, judgeCoolDown } from '../domain/content-policy.ts';
import type { Digest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import { isOutage, outageError } from '../domain/outage.ts';
import type { Tag } from '../domain/reference.ts';
import type { Exchange } from './exchange.ts';
import { moment, withMark } from './policy-mark.ts';
import type { Services } from './ports.ts';
import {
  type HoldBack,
  type ManifestRequest,
  type ManifestToServe,
  requestOf,
  resolveManifest,
} from './resolve-manifest.ts';
import { type Flight, resolveOnce } from './resolve-once.ts';

/** The request with what the endpoint's cool-down makes of the tag; as it is where there is none. */
export function withCoolDown(
  services: Services,
  flight: Flight,
  exchange: Exchange,
  request: ManifestRequest,
  { tag, view }: { readonly tag: Tag; readonly view: View },
): ManifestRequest {
  const { content } = exchange.endpoint;
  const { repository } = request;
  const rule = content?.coolDownOf(repository, tag);
  if (content === undefined || rule === undefined) return request;
  // What is denied is not served instead, either.
  const mayStandIn = (digest: Digest) => content.denial(repository, { digests: [digest] }) === undefined;
  const upstream = exchange.endpoint.upstream.name;
  const holdBack: HoldBack = async (found, serve) => {
    const current = found.manifest.digest;
    const known = services.tagHistory.of(upstream, repository, tag);
    const history = known.filter(({ digest }) => digest === current || mayStandIn(digest));
    const verdict = judgeCoolDown(history, view, current, services.now(), rule);
    if (verdict.kind === 'serve') return serve(found);
    if (verdict.kind === 'refuse') throw tooYoung(current, verdict.until);
    const older = await olderManifest(services, flight, exchange, request, found, verdict.digest);
    if (older === undefined) {
      if (rule.unknown === 'refuse') throw tooYoung(current, verdict.until);
      const lost = `${verdict.digest}, which should be served until ${moment(verdict.until)}, is gone; this is the new content`;
      return withMark(await serve(found), 'cool-down-void', lost);
    }
    return withMark(await serve(older), 'cool-down', heldBack(current, verdict.until, rule), [
      ['Manifix-Held-Digest', current],
    ]);
  };
  return { ...request, holdBack };
}

function heldBack(current: Digest, until: number, { age }: CoolDownRule): string {
  return `the tag moved to ${current}, seen first at ${moment(until - age)}; until ${moment(until)} it is served as before`;
}

/**
 * What the tag meant before, from the cache or by its digest from the registry. Whoever gets here may read the tag, and with
 * it what the tag meant in the same repository. Undefined when nobody has it any more.
 */
async function olderManifest(
  services: Services,
  flight: Flight,
  exchange: Exchange,
  request: ManifestRequest,
  found: ManifestToServe,
  digest: Digest,
): Promise<ManifestToServe | undefined> {
  const kept = await services.manifests.get(digest);
  const stale = found.cache === 'stale';
  if (kept !== undefined) {
    keepReadable(services, exchange, request, found.manifest.digest, digest);
    return { manifest: kept, cache: stale ? 'stale' : 'hit', stored: true };
  }
  const asked = requestOf(request, digest);
  const resolution = await resolveOnce(services, flight, exchange, { request: asked, view: '', headFirst: false }, () =>
    resolveManifest(services, exchange, asked, false),
  );
  switch (resolution.kind) {
    case 'manifest':
      return { manifest: resolution.manifest, cache: stale ? 'stale' : 'miss', stored: resolution.stored };
    case 'stream':
      resolution.stream.destroy();
      return undefined;
    case 'refused': {
      const { status, headers } = resolution.refusal;
      if (isOutage(status)) throw outageError(status, headers);
      return undefined;
    }
    case 'outage':
      throw resolution.error;
  }
}

/** What the registry deleted in the meantime can be fetched by its digest, too, by those who may read what the tag means now. */
function keepReadable(
  { facts }: Services,
  { endpoint }: Exchange,
  { repository }: ManifestRequest,
  current: Digest,
  digest: Digest,
): void {
  const upstream = endpoint.upstream.name;
  if (facts.link(upstream, repository, 'manifest', digest) !== undefined) return;
  const access = facts.link(upstream, repository, 'manifest', current) ?? 'private';
  facts.putLink(upstream, repository, 'manifest', digest, access);
}

function tooYoung(digest: Digest, until: number): RegistryError {
  return new RegistryError('DENIED', {
    message: `held back until ${moment(until)}`,
    detail: { digest, until: moment(until) },
    explanation:
      `The tag means ${digest} for too short a time, and there is nothing older to serve instead (content.coolDown). ` +
      'Pull it by its digest, or have the operator pin the tag.',
    policy: 'cool-down',
  });
}

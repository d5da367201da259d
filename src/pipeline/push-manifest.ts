import { viewOf } from '../domain/accept.ts';
import { attachedTo } from '../domain/attachments.ts';
import type { NamedContent } from '../domain/content-policy.ts';
import { type Digest, digestOf } from '../domain/digest.ts';
import { ERRORS, RegistryError } from '../domain/errors.ts';
import { inspectManifest, type ManifestInspection } from '../domain/manifest.ts';
import { MANIFEST_TYPES } from '../domain/media-type.ts';
import type { Tag } from '../domain/reference.ts';
import type { Route } from '../domain/route.ts';
import { type BodyPace, readInTime } from '../lib/body-deadline.ts';
import { readBody } from '../lib/read-body.ts';
import { answerDeniedPush } from './denied-content.ts';
import type { Answer, Exchange } from './exchange.ts';
import { ambiguousManifest, MAX_MANIFEST } from './fetch-manifest.ts';
import { withMissingParts } from './fill-missing.ts';
import { forwardAuthorized } from './forward-authorized.ts';
import { healManifest } from './heal-manifest.ts';
import { keepReferrer } from './keep-referrer.ts';
import { materialise } from './materialise.ts';
import { answerAsPushed, keepAsPushed } from './normalise-push.ts';
import { upstreamPath } from './pass-through.ts';
import { pinOf } from './pinned-tag.ts';
import { withMark } from './policy-mark.ts';
import type { Services } from './ports.ts';
import { relay } from './relay.ts';
import { report } from './report.ts';
import { changesName } from './resolve-once.ts';

type ManifestRoute = Extract<Route, { kind: 'manifest' }>;

/**
 * PUT of a manifest. Its bytes reach the registry as they are, unless a fix that the operator chose normalises them under the
 * tag; what the request says about them is repaired. What only manifix has, and the manifest refers to, is pushed first.
 */
export async function pushManifest(services: Services, exchange: Exchange, route: ManifestRoute): Promise<Answer> {
  const { incoming } = exchange;
  const body = await readInTime(incoming, readBody(incoming, MAX_MANIFEST, 'discard'), MANIFEST_PACE, manifestTooSlow);
  if (body === 'too-large') throw manifestTooLarge();
  const bytes = await healManifest(services, exchange, route.reference, body);
  const inspection = inspectManifest(bytes);
  if (inspection.shape === 'ambiguous') throw ambiguousManifest(400);
  const denied = await answerDeniedPush(services, exchange, route.repository, contentOf(route, bytes, inspection));
  if (denied !== undefined) return denied;
  const outcome = exchange.endpoint.fixes.request({ ...exchange.request, manifest: { bytes, inspection } });
  report(exchange, outcome.applied);
  if (outcome.refuse !== undefined) throw outcome.refuse;
  await materialise(services, exchange, route.repository, inspection);
  const normalised = keepAsPushed(services, exchange, route.repository, bytes, outcome);
  const sent = normalised?.sent ?? outcome.view;
  const manifest = normalised?.sent.manifest ?? { bytes, inspection };
  const request = {
    origin: exchange.endpoint.upstream.origin,
    path: upstreamPath(exchange, sent),
    method: 'PUT',
    headers: sent.headers,
    body: manifest.bytes,
  };
  const forwarded = await withMissingParts(services, exchange, route.repository, manifest.inspection, () =>
    forwardAuthorized(exchange, sent, request),
  );
  const pushed = { ...exchange, request: { ...exchange.request, manifest } };
  const received = { digest: digestOf(manifest.bytes), size: manifest.bytes.length };
  const relayed = await relay(services, pushed, sent, forwarded, received);
  if (relayed.status < 300) rememberPush(services, exchange, route, inspection, received.digest);
  const answer = await keepReferrer(services, exchange, route, manifest.bytes, relayed);
  const asPushed =
    normalised === undefined ? answer : answerAsPushed(services, exchange, route.repository, normalised, answer);
  return warnOfPin(services, exchange, route, received.digest, asPushed);
}

/** All by which the operator may deny the manifest: its tag, its digest, and what it is made of. */
function contentOf({ reference }: ManifestRoute, bytes: Uint8Array, inspection: ManifestInspection): NamedContent {
  const parts = inspection.descriptors.flatMap(({ digest }) => digest ?? []);
  return reference.kind === 'tag'
    ? { tag: reference.tag, digests: [digestOf(bytes), ...parts] }
    : { digests: [reference.digest, digestOf(bytes), ...parts] };
}

/** The registry has what was pushed, and whoever pulls the tag gets something else. */
function warnOfPin(
  services: Services,
  exchange: Exchange,
  { repository, reference }: ManifestRoute,
  digest: Digest,
  answer: Answer,
): Answer {
  const pin = reference.kind === 'tag' ? pinOf(services, exchange, repository, reference.tag) : undefined;
  if (pin === undefined || pin === digest) return answer;
  return withMark(answer, 'pin', `the tag is pinned to ${pin}, and pulls get that until the pin is taken away`);
}

/** A manifest of a few KiB takes no 15 seconds, and one of 4 MiB over the slowest of lines gets its minutes. */
const MANIFEST_PACE: BodyPace = { grace: 15_000, bytesPerSecond: 16 * 1024 };

function manifestTooSlow(received: number): RegistryError {
  return new RegistryError('MANIFEST_INVALID', {
    status: 408,
    message: 'the manifest did not arrive in time',
    explanation: `After more than 15 seconds only ${received} bytes of the request had arrived.`,
    headers: [['Connection', 'close']],
  });
}

function manifestTooLarge(): RegistryError {
  return new RegistryError('MANIFEST_INVALID', {
    status: 413,
    message: `${ERRORS.MANIFEST_INVALID.message}: larger than ${MAX_MANIFEST} bytes`,
    explanation:
      'A manifest lists blobs and does not hold them; registries accept about 4 MiB. ' +
      'If this is a layer or a config, push it to /blobs/uploads/ instead.',
    fix: 'manifest-size-limit',
  });
}

/** A pushed tag is fresh at once; a pushed signature ends the changing of what it signs. */
function rememberPush(
  services: Services,
  exchange: Exchange,
  route: ManifestRoute,
  inspection: ManifestInspection,
  digest: Digest,
): void {
  const upstream = exchange.endpoint.upstream.name;
  const { repository, reference } = route;
  const tag: Tag | undefined = reference.kind === 'tag' ? reference.tag : undefined;
  services.changes.changed(changesName(upstream, repository));
  if (tag !== undefined) {
    services.facts.dropTags(upstream, repository, tag);
    const { user } = exchange.principal;
    const seen = { view: viewOf(MANIFEST_TYPES), digest, at: services.now(), by: 'push' } as const;
    services.tagHistory.note(upstream, repository, tag, { ...seen, ...(user !== undefined && { user }) });
  }
  for (const original of [attachedTo(tag ?? ''), inspection.subject]) {
    if (original !== undefined) services.facts.putSigned(upstream, repository, original, true);
  }
}

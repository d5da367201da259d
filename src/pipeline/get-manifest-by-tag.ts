import { acceptedTypes, type View, viewOf } from '../domain/accept.ts';
import type { Tag } from '../domain/reference.ts';
import { judgeTag, stretchedTtl } from '../domain/tag-policy.ts';
import { abandon, answerInTime, freshAnswer, staleAnswer } from './answer-resolution.ts';
import { withCoolDown } from './cool-down.ts';
import type { Answer, Exchange } from './exchange.ts';
import { isGone } from './gone.ts';
import { pinOf, servePinned } from './pinned-tag.ts';
import type { Services } from './ports.ts';
import type { TagRecord } from './ports-facts.ts';
import { type ManifestRequest, type Resolved, resolveManifest } from './resolve-manifest.ts';
import { changesName, type Flight, type Resolution, resolveOnce } from './resolve-once.ts';

/** A tag as one kind of request sees it. */
interface TagView {
  readonly tag: Tag;
  readonly view: View;
  /** Undefined for requests of which nothing is recorded. */
  readonly name: string | undefined;
}

/**
 * A manifest by its tag: the digest that it is pinned to, or the one that is still fresh, or what the registry says now. What is
 * not fresh is answered while the registry is asked behind the answer, or because it cannot be asked or allows hardly any more
 * requests, as far as the endpoint's policy goes.
 */
export async function getByTag(
  services: Services,
  flight: Flight,
  exchange: Exchange,
  asked: ManifestRequest,
  tag: Tag,
): Promise<Answer> {
  const { freshness, upstream } = exchange.endpoint;
  const pin = pinOf(services, exchange, asked.repository, tag);
  if (pin !== undefined) return servePinned(services, flight, exchange, asked, tag, pin);
  const view = viewOf(acceptedTypes(asked.sent.headers));
  const request = withCoolDown(services, flight, exchange, asked, { tag, view });
  const name = recordName(view, request.sent.query);
  const known = name === undefined ? undefined : services.facts.tag(upstream.name, request.repository, tag, name);
  const ttl = freshness.ttlOf(tag);
  const budget = upstream.outlook('HEAD', request.sent.headers).budget ?? 1;
  const state = known === undefined ? 'expired' : judgeTag(services.now() - known.confirmedAt, ttl, freshness, budget);
  if (known !== undefined && state === 'fresh') {
    const freshUntil = known.confirmedAt + stretchedTtl(ttl, freshness, budget);
    const fresh = await freshAnswer(services, exchange, request, known.digest, freshUntil);
    if (fresh !== undefined) return fresh;
  }
  const ask = (hurried: boolean) =>
    refreshTag(services, flight, exchange, { ...request, hurried }, { tag, view, name }, known);
  if (state === 'spared') {
    const early = await staleAnswer(services, exchange, request, known?.digest, 'rate-limit');
    if (early !== undefined) return early;
  }
  if (state === 'refreshing') {
    const early = await staleAnswer(services, exchange, request, known?.digest, 'refreshing');
    if (early !== undefined) {
      abandon(ask(true));
      return early;
    }
  }
  return answerInTime(services, exchange, request, state === 'expired' ? undefined : known?.digest, ask);
}

/** The name under which it is recorded what a tag means to this kind of request. What a query selects nobody knows. */
function recordName(view: View, query: string): string | undefined {
  return query === '' ? view : undefined;
}

/** Asks the registry and records what it says: the tag's digest, or that there is no such tag any more. */
async function refreshTag(
  services: Services,
  flight: Flight,
  exchange: Exchange,
  request: ManifestRequest,
  tagView: TagView,
  known: TagRecord | undefined,
): Promise<Resolution> {
  const headFirst = known !== undefined || exchange.request.method === 'HEAD';
  const resolution = await resolveOnce(services, flight, exchange, { request, view: tagView.view, headFirst }, () =>
    resolveAndRecord(services, exchange, request, tagView, headFirst),
  );
  if (resolution.kind === 'refused' && resolution.remembered !== true && known !== undefined) {
    await forgetWhenGone(services, exchange, request, tagView.tag, resolution.refusal.status);
  }
  return resolution;
}

async function resolveAndRecord(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
  { tag, view, name }: TagView,
  headFirst: boolean,
): Promise<Resolved> {
  const upstream = exchange.endpoint.upstream.name;
  const changes = changesName(upstream, request.repository);
  // The tag may move as soon as the question is out, and a push through manifix makes its answer worthless.
  const confirmedAt = services.now();
  const version = services.changes.of(changes);
  const resolved = await resolveManifest(services, exchange, request, headFirst);
  if (resolved.kind === 'manifest' && name !== undefined && version === services.changes.of(changes)) {
    const { digest } = resolved.manifest;
    services.tagHistory.note(upstream, request.repository, tag, { view, digest, at: confirmedAt, by: 'pull' });
    if (resolved.stored) services.facts.putTag(upstream, request.repository, tag, name, { digest, confirmedAt });
  }
  return resolved;
}

/** Forgets a tag that the registry says is gone, so that no outage brings it back. */
async function forgetWhenGone(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
  tag: Tag,
  status: number,
): Promise<void> {
  if (status !== 404 && status !== 410) return;
  const upstream = exchange.endpoint.upstream.name;
  const mayRead = services.grants.has(upstream, request.repository, exchange.caller.identity);
  if (!mayRead && !(await isGone(exchange, request, status))) return;
  services.facts.dropTags(upstream, request.repository, tag);
}

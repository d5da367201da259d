import type { Config, EndpointConfig } from '../config/config.ts';
import { NO_CONTENT_RULES } from '../domain/content-policy.ts';
import type { Digest } from '../domain/digest.ts';
import { headerValue } from '../domain/headers.ts';
import { IMAGE_CLIENTS, type ImageClientName } from '../domain/image-clients.ts';
import { parseTag } from '../domain/reference.ts';
import type { FixMode } from '../fixes/fix.ts';
import { FIXES } from '../fixes/index.ts';
import type { FinishedRequest } from '../pipeline/ports.ts';
import type { CacheState } from './cache-state.ts';
import type { Ask } from './clients.ts';
import type { LoopbackClient } from './loopback.ts';
import { locate, type Place, withoutQuery } from './place.ts';
import { isManifestTarget, type PullRecord, pullAs, rawAsk, run } from './pulls.ts';
import type { Answer, SeenAnswer } from './seen.ts';
import type { StartApp } from './throw-away.ts';

export interface Question {
  /** An image reference, or a URL below /v2/. */
  readonly reference: string;
  /** Whose requests are sent; all clients' when it is not said. */
  readonly as: ImageClientName | undefined;
  /** The Authorization of whoever asks, passed on as any client's. */
  readonly authorization: string | undefined;
}

export interface FiredFix {
  readonly id: string;
  /** As configured: `observe` and `off` would have changed something. */
  readonly mode: FixMode;
  readonly note: string;
}

/** What one client makes of both answers: the error that it would show, or null when it is content. */
export interface ClientVerdict {
  readonly client: ImageClientName;
  readonly directly: string | null;
  readonly throughManifix: string | null;
}

export interface Explanation {
  readonly reference: string;
  readonly endpoint: string;
  readonly upstream?: string;
  /** Whose requests are shown. */
  readonly as: ImageClientName;
  /** What the registry answers to the client's own requests, before any repair. */
  readonly registry: readonly SeenAnswer[];
  /** What manifix makes of the same requests: with an empty cache, or, when that fails, with what is in its cache. */
  readonly manifix: readonly SeenAnswer[];
  /** Whether `manifix` and the verdicts on it are of what the running manifix has cached. */
  readonly fromCache: boolean;
  /** In the order of the catalogue. */
  readonly fixes: readonly FiredFix[];
  readonly digests: { readonly canonical?: string; readonly derived?: string };
  readonly clients: readonly ClientVerdict[];
  readonly cache?: CacheState;
}

export interface Explainer {
  readonly config: Config;
  readonly start: StartApp;
  /** Where the running manifix looks for a manifest. */
  readonly placeOf: (host: string, target: string) => Place | undefined;
  /** Looks at the cache of the running manifix and changes nothing. */
  readonly cacheState: (place: Place) => CacheState;
  /** Copies what the running manifix knows of a tag's past, and what it is pinned to. */
  readonly copyTag: (directory: string, place: Place) => Promise<void>;
  /** Copies what the running manifix knows, with these manifests. */
  readonly copyCache: (directory: string, manifests: readonly Digest[]) => Promise<void>;
}

/**
 * Finds out what manifix does to a pull and why. The requests of the clients go through manifixes of their own, one with all
 * fixes off, whose registry is watched, and one as configured, so that serving and explaining cannot differ. What the running
 * manifix has cached is looked at.
 */
export async function explain(explainer: Explainer, question: Question): Promise<Explanation> {
  const { config, placeOf, cacheState } = explainer;
  const { reference, as, authorization } = question;
  const { host, target } = locate(reference, config);
  const place = placeOf(host, target);
  const asked: Asked = {
    clients: clientsFor(target, as),
    target,
    asker: { host, authorization, addresses: place?.endpoint.upstream.addresses },
  };
  const cache = place === undefined ? undefined : cacheState(place);
  const directly = await pullDirectly(explainer, asked);
  const { through, fromCache } = await pullThrough(explainer, asked, place, cache);
  const [registry] = directly;
  const [manifix] = through.pulls;
  if (registry === undefined || manifix === undefined) throw new Error('no client asked');
  const reached = through.requests.find((request) => request.endpoint !== '')?.endpoint;
  const endpoint = config.endpoints.find(({ name }) => name === reached);
  return {
    reference: withoutQuery(reference),
    endpoint: endpoint?.name ?? '',
    ...(endpoint === undefined ? {} : { upstream: endpoint.upstream }),
    as: registry.client,
    registry: registry.seen,
    manifix: manifix.seen,
    fromCache,
    fixes: firedFixes(through.requests, endpoint),
    digests: knownDigests(digestsIn(through.pulls.flatMap(({ answers }) => answers)), place, cache),
    clients: asked.clients.map((client, index) => ({
      client,
      directly: directly[index]?.complaint ?? null,
      throughManifix: through.pulls[index]?.complaint ?? null,
    })),
    ...(cache === undefined ? {} : { cache }),
  };
}

/** What is pulled, and by whom. */
interface Asked {
  readonly clients: readonly ImageClientName[];
  /** Path and query. */
  readonly target: string;
  readonly asker: LoopbackClient;
}

/** Images are pulled by all clients, where none is named; of the rest curl tells as much as any. */
function clientsFor(target: string, as: ImageClientName | undefined): readonly ImageClientName[] {
  if (as !== undefined) return [as];
  return isManifestTarget(target) ? IMAGE_CLIENTS : ['curl'];
}

/**
 * The clients' pulls as the registry answers them: no fix changes anything, and policy is none of the registry's. Each client
 * asks anew, because what another one's GET brought would answer its HEAD.
 */
async function pullDirectly(
  { config, start }: Explainer,
  { clients, target, asker }: Asked,
): Promise<readonly PullRecord[]> {
  const plain = { start, config: withoutContentRules(withModes(config, () => 'off')), asker };
  const records: PullRecord[] = [];
  for (const client of clients) {
    const { pulls } = await run(plain, (ask, answers) => pullAs([client], target, rawAsk(ask, answers)));
    records.push(...pulls);
  }
  return records;
}

/**
 * The clients' pulls through manifix as it is configured, with an empty cache that remembers no more than the tag's past; and
 * where that fails, with a copy of what the running one has of it. A fix that is off watches, which changes as little and tells
 * more.
 */
async function pullThrough(
  { config, start, copyTag, copyCache }: Explainer,
  { clients, target, asker }: Asked,
  place: Place | undefined,
  cache: CacheState | undefined,
) {
  const watching = { start, config: withModes(config, (mode) => (mode === 'off' ? 'observe' : mode)), asker };
  // crane, the last of all clients, begins with HEAD, which shows more while nothing is cached.
  const pull = async (ask: Ask) => (await pullAs(clients.toReversed(), target, ask)).toReversed();
  const remember = place && { fill: (directory: string) => copyTag(directory, place) };
  const cold = await run({ ...watching, ...remember }, pull);
  const fails = cold.pulls.some(({ answers }) => answers.some(({ status }) => status >= 400));
  const held = place === undefined || cache === undefined ? [] : heldManifests(place, cache);
  if (!fails || held.length === 0) return { through: cold, fromCache: false };
  const fill = (directory: string) => copyCache(directory, held);
  return { through: await run({ ...watching, fill }, pull), fromCache: true };
}

/** The manifests that the cache would answer with. */
function heldManifests(
  { endpoint, repository, reference }: Place,
  { tags, original, content, earlier }: CacheState,
): readonly Digest[] {
  const tag = parseTag(reference);
  const pinned = tag && endpoint.content?.pinOf(repository, tag);
  return [
    ...(pinned === undefined ? [] : [pinned]),
    ...earlier,
    ...tags.map(({ digest }) => digest),
    ...(original === null ? [] : [original]),
    ...(content === null ? [] : [content.digest]),
  ];
}

/** The digests of an answer, and what the cache knows besides: only the running manifix remembers what was derived. */
function knownDigests(
  digests: Explanation['digests'],
  place: Place | undefined,
  cache: CacheState | undefined,
): Explanation['digests'] {
  if (place === undefined || cache === undefined) return digests;
  if (cache.original !== null) return { canonical: cache.original, derived: place.reference };
  const canonical = digests.canonical ?? cache.content?.digest;
  const derived = digests.derived ?? cache.derived[0];
  return { ...(canonical === undefined ? {} : { canonical }), ...(derived === undefined ? {} : { derived }) };
}

function withoutContentRules(config: Config): Config {
  return { ...config, endpoints: config.endpoints.map((endpoint) => ({ ...endpoint, content: NO_CONTENT_RULES })) };
}

/** Tokens are fetched by manifix in any case, which heeds where credentials may go. */
const TOKENS = 'token-realm';

function withModes(config: Config, change: (mode: FixMode) => FixMode): Config {
  const endpoints = config.endpoints.map((endpoint) => ({
    ...endpoint,
    fixes: Object.fromEntries(
      Object.entries(endpoint.fixes).map(([id, { mode, ...rest }]) => [
        id,
        { ...rest, mode: id === TOKENS ? 'on' : change(mode) },
      ]),
    ),
  }));
  return { ...config, endpoints };
}

function firedFixes(requests: readonly FinishedRequest[], endpoint: EndpointConfig | undefined): readonly FiredFix[] {
  const fired = new Map<string, FiredFix>();
  for (const { id, mode, note } of requests.flatMap(({ fixes }) => fixes)) {
    const configured = endpoint?.fixes[id]?.mode ?? 'on';
    // One that is on and left something alone says that it observed.
    fired.set(`${id} ${note}`, { id, mode: configured === 'on' ? mode : configured, note });
  }
  const order = (id: string) => FIXES.findIndex((fix) => fix.id === id);
  return [...fired.values()].toSorted((one, other) => order(one.id) - order(other.id));
}

function digestsIn(answers: readonly Answer[]): Explanation['digests'] {
  const served = answers.find(({ status }) => status === 200);
  if (served === undefined) return {};
  const digest = headerValue(served.headers, 'Docker-Content-Digest');
  const original = headerValue(served.headers, 'Manifix-Original-Digest');
  if (original !== undefined && digest !== undefined) return { canonical: original, derived: digest };
  return digest === undefined ? {} : { canonical: digest };
}

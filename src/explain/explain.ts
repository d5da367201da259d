import type { Config, EndpointConfig } from '../config/config.ts';
import { NO_CONTENT_RULES } from '../domain/content-policy.ts';
import type { Digest } from '../domain/digest.ts';
import { headerValue } from '../domain/headers.ts';
import { IMAGE_CLIENTS, type ImageClientName } from '../domain/image-clients.ts';
import { parseTag } from '../domain/reference.ts';
import type { FixMode } from '../fixes/fix.ts';
import type { FinishedRequest } from '../pipeline/ports.ts';
import type { CacheState } from './cache-state.ts';
import type { Ask } from './clients.ts';
import { locate, type Place, withoutQuery } from './place.ts';
import { pullAs, rawAsk, run } from './pulls.ts';
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
 * Finds out what manifix does to a pull and why. The requests of the clients go through two manifixes of their own, one
 * with all fixes off, whose registry is watched, and one as configured, so that serving and explaining cannot differ. What
 * the running manifix knows of the tag's past counts, what it has cached is looked at; where pulls fail without it, they go through a third one with a copy of it.
 */
export async function explain(explainer: Explainer, question: Question): Promise<Explanation> {
  const { config, start, placeOf, cacheState, copyTag, copyCache } = explainer;
  const { reference, as, authorization } = question;
  const { host, target } = locate(reference, config);
  const clients = as === undefined ? IMAGE_CLIENTS : [as];
  const off = withoutContentRules(withModes(config, () => 'off'));
  const direct = await run({ start, config: off, host, authorization }, (ask, answers) =>
    pullAs(clients, target, rawAsk(ask, answers)),
  );
  // A fix that is off watches instead, which changes as little and tells more.
  const watching = { start, config: withModes(config, (mode) => (mode === 'off' ? 'observe' : mode)), host };
  const pull = (ask: Ask) => pullAs(clients, target, ask);
  const place = placeOf(host, target);
  const remember = place && { fill: (directory: string) => copyTag(directory, place) };
  const cold = await run({ ...watching, authorization, ...remember }, pull);
  const cache = place === undefined ? undefined : cacheState(place);
  const fails = cold.pulls.some(({ answers }) => answers.some(({ status }) => status >= 400));
  const held = place === undefined || cache === undefined ? [] : heldManifests(place, cache);
  const fromCache = fails && held.length > 0;
  const fill = (directory: string) => copyCache(directory, held);
  const through = fromCache ? await run({ ...watching, authorization, fill }, pull) : cold;
  const [registry] = direct.pulls;
  const [manifix] = through.pulls;
  if (registry === undefined || manifix === undefined) throw new Error('no client asked');
  const endpoint = through.requests.find((request) => request.endpoint !== '')?.endpoint ?? '';
  const upstream = config.endpoints.find(({ name }) => name === endpoint)?.upstream;
  return {
    reference: withoutQuery(reference),
    endpoint,
    ...(upstream === undefined ? {} : { upstream }),
    as: registry.client,
    registry: registry.seen,
    manifix: manifix.seen,
    fromCache,
    fixes: firedFixes(
      through.requests,
      config.endpoints.find(({ name }) => name === endpoint),
    ),
    digests: knownDigests(digestsIn(through.pulls.flatMap(({ answers }) => answers)), place, cache),
    clients: clients.map((client, index) => ({
      client,
      directly: direct.pulls[index]?.complaint ?? null,
      throughManifix: through.pulls[index]?.complaint ?? null,
    })),
    ...(cache === undefined ? {} : { cache }),
  };
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

/** The registry's own answers are no matter of policy. */
function withoutContentRules(config: Config): Config {
  return { ...config, endpoints: config.endpoints.map((endpoint) => ({ ...endpoint, content: NO_CONTENT_RULES })) };
}

function withModes(config: Config, change: (mode: FixMode) => FixMode): Config {
  const endpoints = config.endpoints.map((endpoint) => ({
    ...endpoint,
    fixes: Object.fromEntries(
      Object.entries(endpoint.fixes).map(([id, { mode, ...rest }]) => [id, { ...rest, mode: change(mode) }]),
    ),
  }));
  return { ...config, endpoints };
}

function firedFixes(requests: readonly FinishedRequest[], endpoint: EndpointConfig | undefined): readonly FiredFix[] {
  const fired = new Map<string, FiredFix>();
  for (const { id, mode, note } of requests.flatMap(({ fixes }) => fixes)) {
    const isOff = endpoint?.fixes[id]?.mode === 'off';
    fired.set(`${id} ${note}`, { id, mode: isOff ? 'off' : mode, note });
  }
  return [...fired.values()];
}

function digestsIn(answers: readonly Answer[]): Explanation['digests'] {
  const served = answers.find(({ status }) => status === 200);
  if (served === undefined) return {};
  const digest = headerValue(served.headers, 'Docker-Content-Digest');
  const original = headerValue(served.headers, 'Manifix-Original-Digest');
  if (original !== undefined && digest !== undefined) return { canonical: original, derived: digest };
  return digest === undefined ? {} : { canonical: digest };
}

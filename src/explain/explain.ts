import type { Config, EndpointConfig } from '../config/config.ts';
import { headerValue } from '../domain/headers.ts';
import { IMAGE_CLIENTS, type ImageClientName } from '../domain/image-clients.ts';
import { parseImageReference } from '../domain/image-reference.ts';
import { formatReference } from '../domain/reference.ts';
import type { FixMode } from '../fixes/fix.ts';
import { parseTarget } from '../http/routes.ts';
import { formatHostPort } from '../lib/address.ts';
import type { FinishedRequest } from '../pipeline/ports.ts';
import { type Ask, PULLS } from './clients.ts';
import { askLoopback } from './loopback.ts';
import { type TracedAnswer, traced } from './registry-trace.ts';
import { type Answer, type ClientRequest, type SeenAnswer, seenAnswer } from './seen.ts';
import { type StartApp, withThrowAway } from './throw-away.ts';

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

export interface Explanation<CacheState> {
  readonly reference: string;
  readonly endpoint: string;
  readonly upstream?: string;
  /** Whose requests are shown. */
  readonly as: ImageClientName;
  /** What the registry answers to the client's own requests, before any repair. */
  readonly registry: readonly SeenAnswer[];
  /** What manifix makes of the same requests with an empty cache. */
  readonly manifix: readonly SeenAnswer[];
  readonly fixes: readonly FiredFix[];
  readonly digests: { readonly canonical?: string; readonly derived?: string };
  readonly clients: readonly ClientVerdict[];
  readonly cache?: CacheState;
}

export interface Explainer<CacheState> {
  readonly config: Config;
  readonly start: StartApp;
  /** Looks at the cache of the running manifix and changes nothing. */
  readonly cacheState: (upstream: string, repository: string, reference: string) => CacheState;
}

/** A question that cannot be asked; the message says why. */
export class WrongQuestion extends Error {}

/**
 * Finds out what manifix does to a pull and why. The requests of the clients go through two manifixes of their own, one
 * with all fixes off, whose registry is watched, and one as configured, so that serving and explaining cannot differ. What
 * the running manifix has cached is looked at, not used.
 */
export async function explain<CacheState>(
  { config, start, cacheState }: Explainer<CacheState>,
  { reference, as, authorization }: Question,
): Promise<Explanation<CacheState>> {
  const { host, target } = locate(reference, config);
  const clients = as === undefined ? IMAGE_CLIENTS : [as];
  const direct = await run(
    start,
    withModes(config, () => 'off'),
    host,
    authorization,
    (ask, answers) => pullAs(clients, target, rawAsk(ask, answers)),
  );
  // A fix that is off watches instead, which changes as little and tells more.
  const watching = withModes(config, (mode) => (mode === 'off' ? 'observe' : mode));
  const through = await run(start, watching, host, authorization, (ask) => pullAs(clients, target, ask));
  const [registry] = direct.pulls;
  const [manifix] = through.pulls;
  if (registry === undefined || manifix === undefined) throw new Error('no client asked');
  const endpoint = through.requests.find((request) => request.endpoint !== '')?.endpoint ?? '';
  const asked = direct.answers.find(({ path }) => path.includes('/manifests/'));
  const place = asked === undefined ? undefined : repositoryOf(asked);
  return {
    reference: withoutQuery(reference),
    endpoint,
    ...(asked === undefined ? {} : { upstream: asked.upstream }),
    as: registry.client,
    registry: registry.seen,
    manifix: manifix.seen,
    fixes: firedFixes(
      through.requests,
      config.endpoints.find(({ name }) => name === endpoint),
    ),
    digests: digestsIn(through.pulls.flatMap(({ answers }) => answers)),
    clients: clients.map((client, index) => ({
      client,
      directly: direct.pulls[index]?.complaint ?? null,
      throughManifix: through.pulls[index]?.complaint ?? null,
    })),
    ...(place === undefined || asked === undefined
      ? {}
      : { cache: cacheState(asked.upstream, place.repository, place.reference) }),
  };
}

interface PullRecord {
  readonly client: ImageClientName;
  readonly complaint: string | undefined;
  readonly seen: readonly SeenAnswer[];
  readonly answers: readonly Answer[];
}

/** Host and target of the requests. Without a host of its own a reference is for whoever takes all other hosts. */
function locate(text: string, config: Config): { readonly host: string; readonly target: string } {
  // RFC 3986, section 3.2.1: everything before the last "@" of the authority.
  if (/^(?:https?:)?\/\/[^/?#]*@|^[^/@]*:[^/@]*@[^/]*\//i.test(text)) {
    throw new WrongQuestion('a reference has no user name and password in it: set MANIFIX_USER=name:password');
  }
  const url = /^https?:\/\/([^/?#]+)(\/.*)$/i.exec(text);
  if (url?.[1] !== undefined && url[2] !== undefined) {
    parseTarget(url[2]);
    return { host: url[1], target: url[2] };
  }
  const image = parseImageReference(text);
  if (image === undefined) {
    throw new WrongQuestion(
      `"${withoutQuery(text)}" is neither an image reference such as team/app:1.2 nor a URL below /v2/`,
    );
  }
  const target = `/v2/${image.repository}/manifests/${formatReference(image.reference)}`;
  // A registry's own name, when clients of a mirror say `ns=` for it.
  const isNamespace = config.endpoints.some(({ ns }) => image.host !== undefined && ns.includes(image.host));
  if (isNamespace) return { host: formatHostPort(config.listen), target: `${target}?ns=${image.host}` };
  return { host: image.host ?? formatHostPort(config.listen), target };
}

/** A query may hold tokens. */
function withoutQuery(text: string): string {
  return text.split(/[?#]/, 1)[0] ?? '';
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

async function run(
  start: StartApp,
  config: Config,
  host: string,
  authorization: string | undefined,
  pull: (ask: Ask, answers: readonly TracedAnswer[]) => Promise<readonly PullRecord[]>,
) {
  const answers: TracedAnswer[] = [];
  const requests: FinishedRequest[] = [];
  const hooks = {
    requestFinished: (request: FinishedRequest) => void requests.push(request),
    watch: (upstream: Parameters<typeof traced>[0]) => traced(upstream, (answer) => void answers.push(answer)),
  };
  const pulls = await withThrowAway(start, config, hooks, (address) =>
    pull(askLoopback(address, host, authorization), answers),
  );
  return { answers, requests, pulls };
}

/** The registry's own answer in place of what manifix made of it. */
function rawAsk(ask: Ask, answers: readonly TracedAnswer[]): Ask {
  return async (request) => {
    const before = answers.length;
    const answer = await ask(request);
    const isOfRequest = ({ method, path }: TracedAnswer) =>
      method === request.method && /\/(?:manifests|blobs)\//.test(path);
    const isRead = /\/(?:manifests|blobs)\//.test(request.target);
    // The last one, because the first may have been a 401 that asks for a token.
    return (isRead ? answers.slice(before).findLast(isOfRequest) : undefined) ?? answer;
  };
}

/** One client after the other. What is no manifest is asked for once, and a blob without its bytes. */
async function pullAs(clients: readonly ImageClientName[], target: string, ask: Ask): Promise<readonly PullRecord[]> {
  const records: PullRecord[] = [];
  for (const client of clients) {
    const seen: SeenAnswer[] = [];
    const answers: Answer[] = [];
    const noting: Ask = async (request: ClientRequest) => {
      const answer = await ask(request);
      seen.push(seenAnswer(request, answer));
      answers.push(answer);
      return answer;
    };
    const pull = /\/manifests\/[^/]+$/.test(target.split('?', 1)[0] ?? '') ? PULLS[client] : PULLS.curl;
    const complaint = await pull(noting, target);
    records.push({ client, complaint, seen, answers });
  }
  return records;
}

function repositoryOf({ path }: TracedAnswer): { readonly repository: string; readonly reference: string } | undefined {
  const [, repository, reference] = /^\/v2\/(.+)\/manifests\/([^/?]+)/.exec(path) ?? [];
  return repository === undefined || reference === undefined ? undefined : { repository, reference };
}

function firedFixes(requests: readonly FinishedRequest[], endpoint: EndpointConfig | undefined): readonly FiredFix[] {
  const fired = new Map<string, FiredFix>();
  for (const { id, mode, note } of requests.flatMap(({ fixes }) => fixes)) {
    const isOff = endpoint?.fixes[id]?.mode === 'off';
    fired.set(`${id} ${note}`, { id, mode: isOff ? 'off' : mode, note });
  }
  return [...fired.values()];
}

function digestsIn(answers: readonly Answer[]): Explanation<unknown>['digests'] {
  const served = answers.find(({ status }) => status === 200);
  if (served === undefined) return {};
  const digest = headerValue(served.headers, 'Docker-Content-Digest');
  const original = headerValue(served.headers, 'Manifix-Original-Digest');
  if (original !== undefined && digest !== undefined) return { canonical: original, derived: digest };
  return digest === undefined ? {} : { canonical: digest };
}

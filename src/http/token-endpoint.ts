import type { IncomingMessage } from 'node:http';
import { basicAuthorization } from '../domain/credentials.ts';
import { RegistryError } from '../domain/errors.ts';
import { withHeader, withoutHeaders } from '../domain/headers.ts';
import { joinQueries, withQuery } from '../domain/query.ts';
import { checkRealm } from '../domain/realm.ts';
import type { RepositoryName } from '../domain/reference.ts';
import { mapScopes, upstreamName } from '../domain/repository-names.ts';
import { completeTokenAnswer, knowsGetOnly, parseTokenAnswer } from '../domain/token-answer.ts';
import { type BodyPace, readInTime } from '../lib/body-deadline.ts';
import { readBody } from '../lib/read-body.ts';
import type { Answer, Endpoint } from '../pipeline/exchange.ts';
import { forward } from '../pipeline/pass-through-proxy.ts';
import type { Challenges } from '../pipeline/ports.ts';
import { asksAsNobody } from './anonymous-tokens.ts';
import { clientAddress } from './client.ts';
import type { EndpointRoutes, Reached } from './endpoint-routes.ts';
import { countToken } from './limited-client.ts';
import { passesCredentials, type TokenQuestion, withoutOwnCredentials } from './own-credentials.ts';
import { giveOwnToken, wantsOwnToken } from './own-token-service.ts';
import { servedName } from './served-name.ts';
import { bearsStandIn } from './stand-in-tokens.ts';
import { type TokenAnswer, type TokenRequest, tokenAnswer } from './token-exchange.ts';
import type { TokenMemory } from './token-memory.ts';

/** Gets tokens for clients from the token service of the registry that they mean. */
export type TokenEndpoint = (request: TokenRequest) => Promise<Answer>;

const PATH = /^\/token(?:\/([^/?]+))?(?=\?|$)/;

export function isTokenRequest(url: string): boolean {
  return PATH.test(url);
}

interface Realm {
  readonly url: URL;
  readonly service: string | undefined;
}

const MAX_BODY = 64 * 1024;
const FORWARDED = new Set(['authorization', 'accept', 'user-agent', 'content-type']);
const RETURNED = new Set(['content-type', 'cache-control', 'retry-after', 'www-authenticate']);

/** @param challenges what registries are known to want */
export function createTokenEndpoint(
  routes: EndpointRoutes,
  challenges: Challenges,
  { anonymous, standIns }: TokenMemory,
): TokenEndpoint {
  /** What the registry's token service answers. */
  async function answerOf(question: TokenQuestion, reached: Reached): Promise<TokenAnswer> {
    const scopes = mapScopes(scopesIn(question.form), (name) => servedName(reached, name));
    const realm = await realmOf(challenges, reached.endpoint, repositoryIn(scopes));
    return realm === undefined ? anonymousToken() : askRealm(question, reached.endpoint, realm, scopes);
  }

  return async (request) => {
    const { incoming, url, host } = request;
    const { method } = incoming;
    if (method !== 'GET' && method !== 'POST') {
      throw new RegistryError('UNSUPPORTED', { headers: [['Allow', 'GET, POST']] });
    }
    const form = new URLSearchParams(method === 'POST' ? await bodyOf(incoming) : url.replace(/^[^?]*\??/, ''));
    const reached = reach(routes, {
      name: PATH.exec(url)?.[1],
      host,
      scopes: scopesIn(form),
      service: form.get('service'),
    });
    request.seen.endpoint = reached.endpoint.name;
    if (wantsOwnToken(reached)) return giveOwnToken(reached, request, form);
    countToken(reached.endpoint, clientAddress(incoming, request.headers, request.trusts));
    const { upstream } = reached.endpoint;
    const asked = { request, method, form } as const;
    const question = passesCredentials(reached.endpoint) ? await withoutOwnCredentials(routes.guards, asked) : asked;
    const isNobody = asksAsNobody(question.method, question.request.headers, question.form);
    return standIns.answer(upstream, bearsStandIn(isNobody, scopesIn(form)), async () => {
      const answer = await answerOf(question, reached);
      const given = isNobody && answer.status === 200 ? parseTokenAnswer(textOf(answer)) : undefined;
      if (given !== undefined) anonymous.note(upstream.name, given);
      return answer;
    });
  };
}

function scopesIn(form: URLSearchParams): string {
  return form.getAll('scope').join(' ');
}

/** Asks the registry's token service, in the registry's names. */
async function askRealm(
  { request, method, form: asked }: TokenQuestion,
  endpoint: Endpoint,
  { url, service }: Realm,
  scopes: string,
): Promise<TokenAnswer> {
  const form = new URLSearchParams(asked);
  form.delete('scope');
  for (const scope of scopes.split(' ')) if (scope !== '') form.append('scope', scope);
  if (service !== undefined) form.set('service', service);
  const answer = await askInWays(request, endpoint, url, method, form);
  return answer.status === 200 ? completed(request, endpoint.fixes, answer) : answer;
}

/** Asks, and again by GET where the service does not know the POST of OAuth 2. */
async function askInWays(
  request: TokenRequest,
  { upstream, fixes }: Endpoint,
  url: URL,
  method: 'GET' | 'POST',
  form: URLSearchParams,
): Promise<TokenAnswer> {
  const answer = await askTokenService(request, upstream, url, method, form.toString());
  const needsGet = method === 'POST' && knowsGetOnly(answer.status) && form.get('grant_type') === 'password';
  if (!needsGet || !applies(request, fixes, `asked by GET, because POST was answered ${answer.status}`)) return answer;
  const login = basicAuthorization(form.get('username') ?? '', form.get('password') ?? '');
  const query = new URLSearchParams([...form].filter(([name]) => name === 'service' || name === 'scope'));
  const headers = withHeader(withoutHeaders(request.headers, 'Content-Type'), 'Authorization', login);
  return askTokenService({ ...request, headers }, upstream, url, 'GET', query.toString());
}

/** The token under the names that clients look for, and with its lifetime. */
function completed(request: TokenRequest, fixes: Endpoint['fixes'], answer: TokenAnswer): TokenAnswer {
  const text = completeTokenAnswer(textOf(answer));
  if (text === undefined || !applies(request, fixes, 'named the token as all clients look for it')) return answer;
  return tokenAnswer(200, withoutHeaders(answer.headers, 'Content-Length'), Buffer.from(text));
}

function applies({ applied }: TokenRequest, fixes: Endpoint['fixes'], note: string): boolean {
  const mode = fixes.mode('token-shapes');
  if (mode !== 'off') applied.push({ id: 'token-shapes', mode, note });
  return mode === 'on';
}

function textOf({ body }: TokenAnswer): string {
  return Buffer.from(body.bytes).toString();
}

/** The answer of the token service itself, whatever it is. */
async function askTokenService(
  { incoming, outgoing, headers }: TokenRequest,
  { addresses, timeouts, agentFor }: Endpoint['upstream'],
  { origin, pathname, search }: URL,
  method: 'GET' | 'POST',
  form: string,
): Promise<TokenAnswer> {
  const query = joinQueries(search.slice(1), method === 'GET' ? form : '');
  const answer = await forward(
    { incoming, outgoing },
    {
      origin,
      path: withQuery(pathname, query),
      method,
      agent: agentFor?.(origin),
      headers: headers.filter(([name]) => FORWARDED.has(name.toLowerCase())),
      body: method === 'POST' ? Buffer.from(form) : 'none',
      addresses,
      connectTimeout: timeouts.connect,
      // The registry itself has to be asked afterwards, before clients give up.
      idle: { before: timeouts.headers / 2, during: timeouts.headers / 2 },
    },
  );
  const bytes = await readBody(answer.body, MAX_BODY);
  if (bytes !== 'too-large') {
    const returned = answer.headers.filter(([name]) => RETURNED.has(name.toLowerCase()));
    return tokenAnswer(answer.status, returned, bytes);
  }
  throw new RegistryError('UNKNOWN', { status: 502, message: 'the token is larger than 64 KiB' });
}

/** How a client says which endpoint it means. */
interface Meant {
  readonly name: string | undefined;
  readonly host: string;
  readonly scopes: string;
  readonly service: string | null;
}

/**
 * The endpoint that the realm names, or the one of the first repository. The catalogue belongs to the one that asked for
 * credentials; a login means all that this host has.
 */
function reach(routes: EndpointRoutes, { name, host, scopes, service }: Meant): Reached {
  const named = name === undefined ? undefined : routes.named(name);
  if (named !== undefined) return { endpoint: named, prefix: '' };
  const repository = repositoryIn(scopes);
  if (repository !== undefined) return routes.reach(host, { kind: 'tags', repository });
  const asking = scopes === '' || service === null ? undefined : routes.named(service);
  return asking?.guard === undefined ? routes.reach(host, { kind: 'base' }) : { endpoint: asking, prefix: '' };
}

function repositoryIn(scopes: string): RepositoryName | undefined {
  let first: string | undefined;
  mapScopes(scopes, (name) => {
    first ??= name;
    return name;
  });
  return first === undefined ? undefined : upstreamName({ prefix: '', library: false }, first);
}

/** What the registry itself says about where its tokens come from; nothing when it wants none, or names a place of others. */
async function realmOf(
  challenges: Challenges,
  { upstream, realms }: Endpoint,
  repository: RepositoryName | undefined,
): Promise<Realm | undefined> {
  const challenge = await challenges.of(upstream, repository);
  if (challenge?.scheme.toLowerCase() !== 'bearer') return undefined;
  const checked = checkRealm(challenge.parameters.get('realm') ?? '', upstream.origin, realms);
  return 'wrong' in checked ? undefined : { url: checked.url, service: challenge.parameters.get('service') };
}

/**
 * A client that heard of tokens from one registry asks for one for each. A registry that wants none takes no notice of what it
 * is sent.
 */
function anonymousToken(): TokenAnswer {
  const token = { token: 'anonymous', access_token: 'anonymous', expires_in: 60 };
  return tokenAnswer(200, [['Content-Type', 'application/json']], Buffer.from(JSON.stringify(token)));
}

/** Clients send it at once; whoever does not would hold a connection for nothing. */
const BODY_PACE: BodyPace = { grace: 15_000, bytesPerSecond: 16 * 1024 };

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const bytes = await readInTime(incoming, readBody(incoming, MAX_BODY, 'discard'), BODY_PACE, tooSlow);
  if (bytes !== 'too-large') return Buffer.from(bytes).toString();
  throw new RegistryError('UNSUPPORTED', { status: 413, message: 'the request for a token is larger than 64 KiB' });
}

function tooSlow(received: number): RegistryError {
  return new RegistryError('UNSUPPORTED', {
    status: 408,
    message: 'the request for a token did not arrive in time',
    explanation: `After more than 15 seconds only ${received} bytes of it had arrived.`,
    headers: [['Connection', 'close']],
  });
}

import { formatChallenge, parseChallenges } from '../domain/challenge.ts';
import { errorsForClient } from '../domain/error-names.ts';
import { parseErrors, RegistryError } from '../domain/errors.ts';
import { type HeaderList, headerValue, withHeader, withoutHeaders } from '../domain/headers.ts';
import { type ListDocument, listItems, parseList } from '../domain/list.ts';
import { decodeQueryValue, mapQueryValues } from '../domain/query.ts';
import { checkRealm } from '../domain/realm.ts';
import { clientName, clientPath, mapScopes, type RequestNames, renames } from '../domain/repository-names.ts';
import type { Route } from '../domain/route.ts';
import { decodeBody } from '../lib/content-encoding.ts';
import { readBody } from '../lib/read-body.ts';
import type { Answer } from '../pipeline/exchange.ts';
import { type Cursors, selects } from './cursors.ts';
import type { Reached } from './endpoint-routes.ts';
import { tokenRealm } from './token-exchange.ts';

/** The request that an answer belongs to. */
export interface AnsweredRequest {
  readonly reached: Reached;
  readonly method: string;
  /** In the upstream's names. */
  readonly route: Route;
  readonly names: RequestNames;
  readonly clientOrigin: string;
  readonly cursors: Cursors;
  /** Whether the catalogue shows a repository, by the upstream's name. */
  readonly shows: (repository: string) => boolean;
}

/** An answer in the names of the client, everywhere a repository's name appears. Content is never touched. */
export async function answerForClient(request: AnsweredRequest, answer: Answer): Promise<Answer> {
  const { namespace } = request.reached;
  const told =
    namespace === undefined ? answer : { ...answer, headers: withHeader(answer.headers, 'OCI-Namespace', namespace) };
  const { route, names, reached } = request;
  const catalog = route.kind === 'catalog' && differs(reached);
  const refused = answer.status === 401 && comesForTokens(reached);
  if (!catalog && !refused && !renames(names)) return told;
  const named = { ...told, headers: told.headers.map((field) => fieldForClient(request, field)) };
  if (answer.status >= 400) return withErrors(names, named);
  if (answer.status !== 200 || (route.kind !== 'tags' && route.kind !== 'catalog')) return named;
  return withList(request, named);
}

/** Whether this endpoint's catalogue differs from its upstream's. */
function differs({ endpoint, prefix, holds }: Reached): boolean {
  return selects(endpoint) || prefix !== '' || holds !== undefined;
}

function fieldForClient(request: AnsweredRequest, field: HeaderList[number]): HeaderList[number] {
  const [name, value] = field;
  switch (name.toLowerCase()) {
    case 'location':
      return [name, urlForClient(request, value)];
    case 'link':
      return [name, value.replaceAll(/<([^<>]*)>/g, (_, target: string) => `<${urlForClient(request, target)}>`)];
    case 'www-authenticate':
      return [name, challengeForClient(request, value)];
    default:
      return field;
  }
}

/** A URL of manifix with the client's names; any other leads elsewhere and stays. */
function urlForClient(request: AnsweredRequest, url: string): string {
  const { clientOrigin, names } = request;
  const origin = url.startsWith(`${clientOrigin}/`) ? clientOrigin : '';
  const path = url.slice(origin.length);
  if (!path.startsWith('/v2/')) return url;
  return origin + clientPath(names, request.route.kind === 'catalog' ? withClientCursor(request, path) : path);
}

function withClientCursor({ cursors, reached }: AnsweredRequest, path: string): string {
  const at = path.indexOf('?');
  if (at < 0) return path;
  const query = mapQueryValues(path.slice(at + 1), (name, value) =>
    name === 'last'
      ? encodeURIComponent(cursors.close(reached.endpoint, reached.prefix, decodeQueryValue(value)))
      : value,
  );
  return `${path.slice(0, at)}?${query}`;
}

/**
 * The token service of a registry gives out rights for the registry's names. Where clients use others, they come to manifix
 * instead, which asks for them; unless they would not be let to bring their credentials there.
 */
function challengeForClient({ clientOrigin, names, reached }: AnsweredRequest, value: string): string {
  const { upstream, realms } = reached.endpoint;
  let changed = false;
  const challenges = parseChallenges([value]).map((challenge) => {
    const { scheme, parameters } = challenge;
    if (scheme.toLowerCase() !== 'bearer') return challenge;
    if ('wrong' in checkRealm(parameters.get('realm') ?? '', upstream.origin, realms)) return challenge;
    const scope = parameters.get('scope');
    const mapped = new Map(parameters).set('realm', tokenRealm(clientOrigin, reached));
    if (scope !== undefined)
      mapped.set(
        'scope',
        mapScopes(scope, (name) => clientName(names, name)),
      );
    changed = true;
    return { scheme, parameters: mapped };
  });
  return changed ? challenges.map(formatChallenge).join(', ') : value;
}

/** Whether clients shall ask manifix for their tokens. */
function comesForTokens(reached: Reached): boolean {
  return hasOtherNames(reached) || reached.endpoint.fixes.mode('token-realm') === 'on';
}

/** Whether clients may call a repository of this endpoint otherwise than its registry does. */
function hasOtherNames({ endpoint, holds }: Reached): boolean {
  return holds !== undefined || endpoint.libraryPrefix === 'on';
}

function withErrors(names: RequestNames, answer: Answer): Answer {
  if (answer.body.kind !== 'bytes') return answer;
  const errors = parseErrors(answer.body.bytes);
  if (errors === undefined) return answer;
  const renamed = errorsForClient(errors, names);
  return JSON.stringify(renamed) === JSON.stringify(errors) ? answer : withJson(answer, { errors: renamed });
}

/** A million of the longest tags. */
const MAX_LIST = 128 * 1024 * 1024;

async function withList(request: AnsweredRequest, answer: Answer): Promise<Answer> {
  const headers = withoutHeaders(answer.headers, 'ETag', 'Content-Encoding', 'Content-Length');
  if (request.method === 'HEAD' || (answer.body.kind !== 'bytes' && answer.body.kind !== 'stream')) {
    return { ...answer, headers };
  }
  const read = answer.body.kind === 'bytes' ? answer.body.bytes : await readBody(answer.body.stream, MAX_LIST);
  if (read === 'too-large') throw unreadableList('is longer than 128 MiB; ask for pages of it with n=1000');
  const bytes = decodeBody(read, headerValue(answer.headers, 'Content-Encoding') ?? '', MAX_LIST);
  if (!(bytes instanceof Uint8Array)) throw unreadableList('came compressed in a way that cannot be undone');
  const list = parseList(bytes);
  if (list === undefined) throw unreadableList('is not the JSON object that distribution-spec wants');
  return withJson({ ...answer, headers }, listForClient(request, list));
}

function listForClient({ names, route, shows }: AnsweredRequest, list: ListDocument): object {
  if (route.kind === 'tags')
    return typeof list.name === 'string' ? { ...list, name: clientName(names, list.name) } : list;
  const all = listItems('catalog', list) ?? [];
  const served = all.flatMap((name) => (typeof name === 'string' && shows(name) ? [clientName(names, name)] : []));
  return { ...list, repositories: served };
}

function withJson(answer: Answer, document: object): Answer {
  const bytes = Buffer.from(JSON.stringify(document));
  const headers = withHeader(answer.headers, 'Content-Length', String(bytes.length));
  return { ...answer, headers, body: { kind: 'bytes', bytes } };
}

function unreadableList(problem: string): RegistryError {
  return new RegistryError('UNKNOWN', {
    status: 502,
    message: "the registry's list cannot be given in the names of this endpoint",
    explanation: `The names in it have to be changed, and what the registry sent ${problem}.`,
  });
}

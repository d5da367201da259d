import type { Denial } from '../domain/audit.ts';
import { RegistryError } from '../domain/errors.ts';
import type { HeaderList } from '../domain/headers.ts';
import type { Action } from '../domain/principal.ts';
import { parseRepositoryName, type RepositoryName } from '../domain/reference.ts';
import { clientName, type RequestNames } from '../domain/repository-names.ts';
import type { Route } from '../domain/route.ts';
import { referenceIn } from '../domain/route-path.ts';
import type { Endpoint } from '../pipeline/exchange.ts';
import type { Identity } from './identify.ts';

/** A request on its way to an endpoint's upstream. */
export interface AskedAdmission {
  readonly endpoint: Endpoint;
  readonly identity: Identity;
  readonly method: string;
  /** In the upstream's names. */
  readonly route: Route;
  readonly names: RequestNames;
  /** What asks for credentials, or for such that are good for more. */
  readonly challenge: (wants: 'credentials' | 'more') => HeaderList;
}

const WRITES: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * The one place where it is decided whether a request may go on to its upstream: what the endpoint takes, whom it lets do that,
 * and with which repository. One that is not served, or in which the client has no right to pull, looks as one that does not
 * exist, whatever was asked of it.
 * @throws RegistryError
 */
export function admit(asked: AskedAdmission): void {
  const { endpoint, method, route } = asked;
  if (asked.identity.isAsked) admitByRights(asked);
  if (endpoint.readOnly && WRITES.has(method)) throw readOnly(asked);
  if (!endpoint.policy.restricts || route.kind === 'base' || route.kind === 'catalog') return;
  const repository = repositoryOf(route);
  if (repository === undefined || !endpoint.policy.allows(repository)) throw absent(asked, repository);
}

function admitByRights(asked: AskedAdmission): void {
  const { endpoint, identity, method, route } = asked;
  const known = identity.principal.user !== undefined;
  const action = actionOf(method, route);
  const repository = repositoryOf(route);
  // Clients learn from the answer to `/v2/` how to log in, also those that could go on without.
  const allowed =
    route.kind === 'base'
      ? known && action === 'pull'
      : route.kind === 'catalog'
        ? action === 'list' && identity.isEverAllowed('list')
        : repository !== undefined && endpoint.policy.allows(repository) && identity.isAllowed(action, repository);
  if (allowed) {
    if (route.kind === 'base' || identity.covers(action, repository)) return;
    throw unauthorized(asked, 'more');
  }
  if (!known) throw unauthorized(asked, 'credentials');
  const mayPull =
    repository !== undefined && endpoint.policy.allows(repository) && identity.isAllowed('pull', repository);
  throw mayPull || route.kind === 'catalog' ? denied(asked, action, repository) : absent(asked, repository);
}

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * What a request does to a repository. Opening, asking about and cancelling an upload are parts of a push. Who may see a list may
 * not send it anything: some registries delete the tag `list` by `DELETE .../tags/list`.
 */
function actionOf(method: string, { kind }: Route): Action {
  if (kind === 'upload' || kind === 'upload-start') return 'push';
  if (method === 'DELETE') return 'delete';
  if (!READS.has(method)) return 'push';
  return kind === 'tags' || kind === 'catalog' ? 'list' : 'pull';
}

function repositoryOf(route: Route): RepositoryName | undefined {
  if ('repository' in route) return route.repository;
  return 'path' in route ? extendedRepository(route.path) : undefined;
}

/** The repository of an extension (`/v2/<name>/_<extension>/...`); one of the registry as a whole may tell of all repositories. */
function extendedRepository(path: string): RepositoryName | undefined {
  const name = /^\/v2\/(.+?)\/_/.exec(path)?.[1];
  return name === undefined ? undefined : parseRepositoryName(name);
}

function absent(asked: AskedAdmission, repository: RepositoryName | undefined): RegistryError {
  return new RegistryError('NAME_UNKNOWN', {
    detail: repository === undefined ? undefined : { name: clientName(asked.names, repository) },
    denied: denialOf(asked),
  });
}

/** For the operator's log. */
function denialOf({ endpoint, identity, method, route }: AskedAdmission): Denial {
  const { user } = identity.principal;
  return {
    action: actionOf(method, route),
    endpoint: endpoint.name,
    repository: repositoryOf(route),
    reference: referenceIn(route),
    ...(user === undefined ? {} : { user }),
  };
}

function unauthorized(asked: AskedAdmission, wants: 'credentials' | 'more'): RegistryError {
  return new RegistryError('UNAUTHORIZED', { headers: asked.challenge(wants) });
}

function denied(asked: AskedAdmission, action: Action, repository?: RepositoryName): RegistryError {
  const { identity, names, endpoint } = asked;
  const name = repository === undefined ? undefined : clientName(names, repository);
  const lists = action === 'list' ? 'list repositories' : 'change the list of repositories';
  const what = name === undefined ? lists : `${VERBS[action]} "${name}"`;
  return new RegistryError('DENIED', {
    detail: { ...(name === undefined ? {} : { name }), action },
    denied: denialOf(asked),
    explanation:
      `The rights of the endpoint "${endpoint.name}" do not let "${identity.principal.user}" ${what}. ` +
      'Whoever runs manifix can change them.',
  });
}

const VERBS: Readonly<Record<Action, string>> = {
  pull: 'pull from',
  push: 'push to',
  delete: 'delete from',
  list: 'list the tags of',
};

function readOnly(asked: AskedAdmission): RegistryError {
  const { endpoint, method } = asked;
  return new RegistryError('UNSUPPORTED', {
    // docker and skopeo show the message alone.
    message: 'this endpoint is read-only',
    explanation: `The endpoint "${endpoint.name}" is read-only: it takes no ${method}. Push to the registry itself, or to another endpoint.`,
    // RFC 9110, section 15.5.6: 405 comes with the methods that there are.
    headers: [['Allow', 'GET, HEAD']],
    denied: denialOf(asked),
  });
}

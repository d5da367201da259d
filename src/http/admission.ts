import { RegistryError } from '../domain/errors.ts';
import type { Action } from '../domain/principal.ts';
import { parseRepositoryName, type RepositoryName } from '../domain/reference.ts';
import { clientName, type RequestNames } from '../domain/repository-names.ts';
import type { Route } from '../domain/route.ts';
import type { Endpoint } from '../pipeline/exchange.ts';

const WRITES: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * The one place where an endpoint decides whether a request may go on to its upstream: what it may do, and with which
 * repository. A repository that is not served looks as one that does not exist, whatever was asked of it.
 * @param route in the upstream's names
 * @throws RegistryError
 */
export function admit(endpoint: Endpoint, method: string, route: Route, names: RequestNames): void {
  const action = actionOf(method, route);
  if (endpoint.readOnly && WRITES.has(method)) throw readOnly(endpoint.name, method, action, repositoryOf(route));
  const { policy } = endpoint;
  if (!policy.restricts || route.kind === 'base' || route.kind === 'catalog') return;
  const repository = repositoryOf(route);
  if (repository !== undefined && policy.allows(repository)) return;
  throw new RegistryError('NAME_UNKNOWN', {
    detail: repository === undefined ? undefined : { name: clientName(names, repository) },
    denied: { action, endpoint: endpoint.name, repository },
  });
}

/** The repository of an extension (`/v2/<name>/_<extension>/...`); one of the registry as a whole may tell of all repositories. */
function extendedRepository(path: string): RepositoryName | undefined {
  const name = /^\/v2\/(.+?)\/_/.exec(path)?.[1];
  return name === undefined ? undefined : parseRepositoryName(name);
}

function repositoryOf(route: Route): RepositoryName | undefined {
  if ('repository' in route) return route.repository;
  return route.kind === 'other' ? extendedRepository(route.path) : undefined;
}

/** What a request wants to do with its repository. */
function actionOf(method: string, { kind }: Route): Action {
  if (WRITES.has(method)) return method === 'DELETE' && kind !== 'upload' ? 'delete' : 'push';
  return kind === 'tags' || kind === 'catalog' ? 'list' : 'pull';
}

function readOnly(
  endpoint: string,
  method: string,
  action: Action,
  repository: RepositoryName | undefined,
): RegistryError {
  return new RegistryError('UNSUPPORTED', {
    explanation: `The endpoint "${endpoint}" is read-only: it takes no ${method}. Push to the registry itself, or to another endpoint.`,
    // RFC 9110, section 15.5.6: 405 comes with the methods that there are.
    headers: [['Allow', 'GET, HEAD']],
    denied: { action, endpoint, repository },
  });
}

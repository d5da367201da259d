import type { RepositoryName } from '../domain/reference.ts';
import { upstreamName } from '../domain/repository-names.ts';
import type { Reached } from './endpoint-routes.ts';

/** The upstream's name of a repository that the endpoint serves. */
export function servedName({ endpoint, prefix, holds }: Reached, name: string): RepositoryName | undefined {
  if (holds?.(name) === false) return undefined;
  const upstream = upstreamName({ prefix, library: endpoint.libraryPrefix === 'on' }, name);
  return upstream !== undefined && endpoint.policy.allows(upstream) ? upstream : undefined;
}

/** `repository:<name>:pull` and the like, which docker's token services grant (distribution, "Token Scope Documentation"). */
export type Scope = string;

/** What docker-registry wants for the catalogue. */
export const CATALOG_SCOPE: Scope = 'registry:catalog:*';

const REPOSITORY = /^\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\//;

/**
 * The scopes that docker-registry asks for when a request comes without a token. A mount reads another repository, too.
 * @param path from `/v2/` on, with its query
 */
export function scopesFor(method: string, path: string): readonly Scope[] {
  const [target = '', query = ''] = path.split('?', 2);
  if (target === '/v2/_catalog') return [CATALOG_SCOPE];
  const repository = REPOSITORY.exec(target)?.[1] ?? /^\/v2\/(.+)\/blobs\/uploads$/.exec(target)?.[1];
  if (repository === undefined) return [];
  const from = method === 'POST' ? new URLSearchParams(query).get('from') : null;
  const scopes = [`repository:${repository}:${actionsOf(method)}`];
  return from === null || from === '' ? scopes : [...scopes, `repository:${from}:pull`];
}

/** A challenge's `scope` parameter as a list: blanks separate scopes. */
export function parseScopes(parameter: string | undefined): readonly Scope[] {
  return (parameter ?? '').split(' ').filter((scope) => scope !== '');
}

/** docker-registry wants `delete` even to cancel an upload. */
function actionsOf(method: string): string {
  if (method === 'GET' || method === 'HEAD') return 'pull';
  return method === 'DELETE' ? 'delete' : 'pull,push';
}

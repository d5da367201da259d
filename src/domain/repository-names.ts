import { parseRepositoryName, type RepositoryName } from './reference.ts';

/** How clients of an endpoint call the repositories of its upstream. */
export interface NameRule {
  /** What they put in front of the upstream's names, with its slash (`mirrors/hub/`); usually empty. */
  readonly prefix: string;
  /** Whether names of one component mean what the upstream has below `library/`, as at the Docker Hub. */
  readonly library: boolean;
}

/** The names of one request: the rule, and what its own repository is called on both sides. */
export interface RequestNames extends NameRule {
  readonly asked?: { readonly client: RepositoryName; readonly upstream: RepositoryName };
}

const LIBRARY = 'library/';

/** The upstream's name for a client's; undefined when it is outside the prefix or would not be a name. */
export function upstreamName({ prefix, library }: NameRule, client: string): RepositoryName | undefined {
  if (!client.startsWith(prefix)) return undefined;
  const name = client.slice(prefix.length);
  return parseRepositoryName(library && !name.includes('/') ? `${LIBRARY}${name}` : name);
}

/** The client's name for an upstream's. A request gets its own repository back in the words in which it asked. */
export function clientName({ prefix, asked }: RequestNames, upstream: string): string {
  return upstream === asked?.upstream ? asked.client : `${prefix}${upstream}`;
}

/** Whether anything is called differently on the two sides. */
export function renames({ prefix, asked }: RequestNames): boolean {
  return prefix !== '' || asked?.client !== asked?.upstream;
}

/** A path of the upstream, from `/v2/` on and perhaps with a query, as the client has to ask for it. */
export function clientPath({ prefix, asked }: RequestNames, path: string): string {
  const rest = path.slice('/v2/'.length);
  const own = asked !== undefined && rest.startsWith(`${asked.upstream}/`);
  return own ? `/v2/${asked.client}${rest.slice(asked.upstream.length)}` : `/v2/${prefix}${rest}`;
}

// The resource scopes of docker-registry's token specification: `repository:samalba/my-app:pull,push`, also with a class as
// in `repository(plugin):...`. A name may hold the port of a host.
const REPOSITORY_SCOPE = /^(repository(?:\([a-z0-9]+\))?):(.+):([^:]*)$/;

/** A scope, or several with spaces between them, with other names of repositories; one whose name maps to nothing goes. */
export function mapScopes(scopes: string, mapName: (name: string) => string | undefined): string {
  const mapped = scopes.split(' ').flatMap((scope) => {
    const [, type, name = '', actions] = REPOSITORY_SCOPE.exec(scope) ?? [];
    if (type === undefined) return [scope];
    const other = mapName(name);
    return other === undefined ? [] : [`${type}:${other}:${actions}`];
  });
  return mapped.join(' ');
}

import type { Config } from '../config/config.ts';
import { NO_USER_IN_REFERENCE } from '../config/environment.ts';
import { RegistryError } from '../domain/errors.ts';
import { namesUser, parseImageReference, tellable } from '../domain/image-reference.ts';
import { formatReference, type RepositoryName } from '../domain/reference.ts';
import type { Edge } from '../http/handle.ts';
import { parseTarget } from '../http/routes.ts';
import { namespaceOf, upstreamTarget } from '../http/upstream-target.ts';
import { formatHostPort } from '../lib/address.ts';
import type { Endpoint } from '../pipeline/exchange.ts';

/** Where a manifest is looked for, in the upstream's names. */
export interface Place {
  readonly endpoint: Endpoint;
  readonly upstream: string;
  readonly repository: RepositoryName;
  readonly reference: string;
}

/** A question that cannot be asked; the message says why. */
export class WrongQuestion extends Error {}

/**
 * Host and target of requests about a reference. Without a host of its own a reference is for whoever takes all other hosts.
 * @throws WrongQuestion
 */
export function locate(text: string, config: Config): { readonly host: string; readonly target: string } {
  if (namesUser(text)) throw new WrongQuestion(NO_USER_IN_REFERENCE);
  const url = /^https?:\/\/([^/?#]+)(\/.*)$/i.exec(text);
  if (url?.[1] !== undefined && url[2] !== undefined) {
    parseTarget(url[2]);
    return { host: url[1], target: url[2] };
  }
  const image = parseImageReference(text);
  if (image === undefined) {
    throw new WrongQuestion(
      `"${tellable(text)}" is neither an image reference such as team/app:1.2 nor a URL below /v2/`,
    );
  }
  const target = `/v2/${image.repository}/manifests/${formatReference(image.reference)}`;
  // A registry's own name, when clients of a mirror say `ns=` for it.
  const isNamespace = config.endpoints.some(({ ns }) => image.host !== undefined && ns.includes(image.host));
  if (isNamespace) return { host: formatHostPort(config.listen), target: `${target}?ns=${image.host}` };
  return { host: image.host ?? formatHostPort(config.listen), target };
}

/** A reference as it may be told: a query may hold tokens. */
export function withoutQuery(text: string): string {
  return text.split(/[?#]/, 1)[0] ?? '';
}

/** Where manifix would look for a manifest; undefined when no endpoint takes the request. */
export function placeOf(
  { endpoints, cursors }: Pick<Edge, 'endpoints' | 'cursors'>,
  host: string,
  target: string,
): Place | undefined {
  const asked = parseTarget(target);
  try {
    const reached = endpoints.reach(host.toLowerCase(), asked.route, namespaceOf(asked.query));
    const { route } = upstreamTarget(reached, 'GET', asked, cursors, () => true);
    const { endpoint } = reached;
    const upstream = endpoint.upstream.name;
    return route.kind === 'manifest'
      ? { endpoint, upstream, repository: route.repository, reference: formatReference(route.reference) }
      : undefined;
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

import type { OciError } from '../domain/errors.ts';
import { headerValue } from '../domain/headers.ts';
import type { Route } from '../domain/route.ts';
import type { RequestView, ResponseView } from './fix.ts';

/** What to do about a request that the registry understood and will not carry out; undefined when that is clear enough. */
export function explainAccess(view: ResponseView, { code, message }: OciError): string | undefined {
  const { request, headers, accountOf } = view;
  const { method, route, clientHeaders } = request;
  switch (code) {
    case 'UNAUTHORIZED':
      if (accountOf !== undefined) return explainAccount(accountOf, request);
      // Without credentials a 401 is the way in which clients learn where to log in.
      return headerValue(clientHeaders, 'Authorization') === undefined
        ? undefined
        : `Credentials or a token arrived, but the registry does not accept them for ${action(method)} ${place(route)}: log in with an account that may.`;
    case 'DENIED':
      if (accountOf !== undefined) return explainAccount(accountOf, request);
      return `The registry does not allow ${action(method)} ${place(route)} to this account: ask its owner for the right, or log in with another account.`;
    case 'TOOMANYREQUESTS':
      return tooManyRequests(headerValue(headers, 'Retry-After'));
    case 'UNSUPPORTED':
      return method === 'DELETE'
        ? 'This registry does not delete: docker-registry does when storage.delete.enabled is true (REGISTRY_STORAGE_DELETE_ENABLED=true).'
        : undefined;
    case 'MANIFEST_UNKNOWN':
      return explainAccept(request, message);
    case 'MANIFEST_INVALID':
      return explainSchema1Refusal(request, message);
    default:
      return undefined;
  }
}

/** The client can do nothing about it: its own credentials were not passed on. */
function explainAccount(upstream: string, { method, route }: RequestView): string {
  return `manifix asks this registry with upstreams.${upstream}.credentials of its configuration, whatever credentials the client has, and the registry does not accept that for ${action(method)} ${place(route)}. The operator of manifix has to configure an account that may.`;
}

function action(method: string): string {
  if (method === 'GET') return 'reading';
  return method === 'DELETE' ? 'deleting in' : 'writing to';
}

function place(route: Route): string {
  return 'repository' in route ? `the repository ${route.repository}` : 'this address';
}

function tooManyRequests(retryAfter: string | undefined): string {
  const wait = retryAfter !== undefined && /^\d+$/.test(retryAfter) ? `${retryAfter} seconds` : 'some minutes';
  return `The registry takes no more requests from this address or account for now: try again in ${wait}. Many registries allow more to clients that log in.`;
}

/** docker-registry hides manifests of OCI types from clients that do not name the type. */
function explainAccept({ method, route }: RequestView, message: string | undefined): string | undefined {
  const kind = /^OCI (index|manifest) found, but accept header/.exec(message ?? '')?.[1];
  if (method !== 'GET' || route.kind !== 'manifest' || kind === undefined) return undefined;
  return `The manifest exists; it is an OCI ${kind}, and the Accept header of the request names other types only. Add application/vnd.oci.image.${kind}.v1+json to it.`;
}

/** GitLab says this of a stored index without mediaType, whatever the client accepts. */
function explainSchema1Refusal({ method, route }: RequestView, message: string | undefined): string | undefined {
  if (method !== 'GET' || route.kind !== 'manifest' || message !== 'Schema 1 manifest not supported') return undefined;
  return 'GitLab answers so when the stored manifest is an index without a mediaType, as buildah and podman used to push it, and does not hand the index out. Push it again with its mediaType (buildah manifest push --all --format v2s2), or through an endpoint of manifix with profile: gitlab.';
}

import type { Route } from '../domain/route.ts';
import { sealText, unsealText } from '../lib/sealed-text.ts';

/** Marks an upload id as one of these; registries' ids are UUIDs or base64. */
const PREFIX = 'manifix~';

/**
 * Makes a URL that lies outside the registry's own /v2/ paths (a storage service, another host) into the path of an
 * upload session, so that the client stays with manifix. The URL travels in the path, encrypted: nobody can make manifix
 * call a URL that no registry gave out, and no log shows its signature.
 * @param key 32 bytes
 */
export function sealLocation(key: Uint8Array, route: Route, url: string): string {
  const repository = 'repository' in route ? route.repository : 'upload';
  // Scripts append `&digest=...`, so that there has to be a query to append to.
  return `/v2/${repository}/blobs/uploads/${PREFIX}${sealText(key, repository, url)}?_state=sealed`;
}

/** The URL behind a sealed upload id of a repository; undefined when the id is a registry's own or nobody sealed it here. */
export function unsealLocation(key: Uint8Array, repository: string, id: string): string | undefined {
  return id.startsWith(PREFIX) ? unsealText(key, repository, id.slice(PREFIX.length)) : undefined;
}

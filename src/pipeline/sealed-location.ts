import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Route } from '../domain/route.ts';

/** Marks an upload id as one of these; registries' ids are UUIDs or base64. */
const PREFIX = 'manifix~';
const MAC_LENGTH = 22;

/**
 * Makes a URL that lies outside the registry's own /v2/ paths (a storage service, another host) into the path of an
 * upload session, so that the client stays with manifix. The URL travels in the path, signed: nobody can make manifix
 * call a URL that no registry gave out.
 */
export function sealLocation(key: Uint8Array, route: Route, url: string): string {
  const repository = 'repository' in route ? route.repository : 'upload';
  const sealed = Buffer.from(url).toString('base64url');
  // Scripts append `&digest=...`, so that there has to be a query to append to.
  return `/v2/${repository}/blobs/uploads/${PREFIX}${mac(key, repository, sealed)}${sealed}?_state=sealed`;
}

/** The URL behind a sealed upload id of a repository; undefined when the id is a registry's own or nobody sealed it here. */
export function unsealLocation(key: Uint8Array, repository: string, id: string): string | undefined {
  if (!id.startsWith(PREFIX)) return undefined;
  const signature = id.slice(PREFIX.length, PREFIX.length + MAC_LENGTH);
  const sealed = id.slice(PREFIX.length + MAC_LENGTH);
  const given = Buffer.from(signature);
  const expected = Buffer.from(mac(key, repository, sealed));
  const genuine = given.length === expected.length && timingSafeEqual(given, expected);
  return genuine ? Buffer.from(sealed, 'base64url').toString() : undefined;
}

function mac(key: Uint8Array, repository: string, sealed: string): string {
  return createHmac('sha256', key).update(`${repository}\n${sealed}`).digest('base64url').slice(0, MAC_LENGTH);
}

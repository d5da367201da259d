import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Route } from '../domain/route.ts';

/** Marks an upload id as one of these; registries' ids are UUIDs or base64. */
const PREFIX = 'manifix~';
const CIPHER = 'aes-256-gcm';
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/**
 * Makes a URL that lies outside the registry's own /v2/ paths (a storage service, another host) into the path of an
 * upload session, so that the client stays with manifix. The URL travels in the path, encrypted: nobody can make manifix
 * call a URL that no registry gave out, and no log shows its signature.
 * @param key 32 bytes
 */
export function sealLocation(key: Uint8Array, route: Route, url: string): string {
  const repository = 'repository' in route ? route.repository : 'upload';
  const nonce = randomBytes(NONCE_LENGTH);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(repository));
  const encrypted = Buffer.concat([cipher.update(url, 'utf8'), cipher.final()]);
  const id = Buffer.concat([nonce, cipher.getAuthTag(), encrypted]).toString('base64url');
  // Scripts append `&digest=...`, so that there has to be a query to append to.
  return `/v2/${repository}/blobs/uploads/${PREFIX}${id}?_state=sealed`;
}

/** The URL behind a sealed upload id of a repository; undefined when the id is a registry's own or nobody sealed it here. */
export function unsealLocation(key: Uint8Array, repository: string, id: string): string | undefined {
  if (!id.startsWith(PREFIX)) return undefined;
  const text = id.slice(PREFIX.length);
  const sealed = Buffer.from(text, 'base64url');
  const start = NONCE_LENGTH + TAG_LENGTH;
  // One id for one URL: base64url has several spellings of the same bytes.
  if (sealed.length < start || sealed.toString('base64url') !== text) return undefined;
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_LENGTH), { authTagLength: TAG_LENGTH });
  decipher.setAAD(Buffer.from(repository)).setAuthTag(sealed.subarray(NONCE_LENGTH, start));
  try {
    return decipher.update(sealed.subarray(start), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return undefined;
  }
}

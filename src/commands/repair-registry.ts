import { type Digest, digestOf } from '../domain/digest.ts';
import { parseErrors } from '../domain/errors.ts';
import { type HeaderList, headerValue } from '../domain/headers.ts';
import { MANIFEST_TYPES, type MediaType, parseMediaType } from '../domain/media-type.ts';
import { readBody } from '../lib/read-body.ts';
import type { UpstreamClient } from '../upstream/upstream.ts';

/** A manifest as the registry has it. */
export interface StoredManifest {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly type: MediaType | undefined;
}

/** One repository. Every call rejects with a plain sentence when the registry refuses. */
export interface Registry {
  get(reference: string): Promise<StoredManifest>;
  put(tag: string, bytes: Uint8Array, type: MediaType): Promise<void>;
  /** Whether the tag exists. */
  has(tag: string): Promise<boolean>;
  /** Whether anything refers to the digest by the referrers API. */
  hasReferrers(digest: Digest): Promise<boolean>;
}

const MAX_BODY = 4 * 1024 * 1024;
const ACCEPT = [['Accept', MANIFEST_TYPES.join(', ')]] as const;
/** Statuses by which registries say that they have no referrers API. */
const NO_API = new Set([400, 404, 405, 406, 501]);

/** @param user name and password, as `NAME:PASSWORD`, for an upstream at which each caller's own right counts */
export function createRegistry(upstream: UpstreamClient, repository: string, user: string | undefined): Registry {
  const base = `/v2/${repository}`;
  const login: HeaderList =
    user === undefined ? [] : [['Authorization', `Basic ${Buffer.from(user).toString('base64')}`]];
  async function ask(method: 'GET' | 'HEAD' | 'PUT', path: string, put?: { bytes: Uint8Array; type: MediaType }) {
    const type: HeaderList = put === undefined ? ACCEPT : [['Content-Type', put.type]];
    const headers: HeaderList = [...type, ...login];
    const answer = await upstream.request({ method, path: base + path, headers, ...(put && { body: put.bytes }) });
    const body = await readBody(answer.body, MAX_BODY);
    if (body === 'too-large') throw new Error(`${method} ${path} was answered with more than 4 MiB`);
    return { status: answer.status, headers: answer.headers, body };
  }
  const refusal = (what: string, status: number, body: Uint8Array) =>
    new Error(`${what} was answered ${status} ${parseErrors(body)?.[0]?.message ?? ''}`.trimEnd());
  return {
    async get(reference) {
      const { status, headers, body } = await ask('GET', `/manifests/${reference}`);
      if (status !== 200) throw refusal(`GET of ${reference}`, status, body);
      return { digest: digestOf(body), bytes: body, type: parseMediaType(headerValue(headers, 'Content-Type')) };
    },
    async put(tag, bytes, type) {
      const { status, body } = await ask('PUT', `/manifests/${tag}`, { bytes, type });
      if (status < 200 || status > 299) throw refusal(`PUT of ${tag}`, status, body);
    },
    async has(tag) {
      const { status, body } = await ask('HEAD', `/manifests/${tag}`);
      if (status === 200 || status === 404) return status === 200;
      throw refusal(`HEAD of ${tag}`, status, body);
    },
    async hasReferrers(digest) {
      const { status, body } = await ask('GET', `/referrers/${digest}`);
      if (NO_API.has(status)) return false;
      if (status !== 200) throw refusal('the question for referrers', status, body);
      try {
        const { manifests } = JSON.parse(Buffer.from(body).toString()) as { manifests?: unknown };
        return Array.isArray(manifests) && manifests.length > 0;
      } catch {
        // A login page with status 200 is how some registries without the API answer.
        return false;
      }
    },
  };
}

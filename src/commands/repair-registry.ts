import { CREDENTIALS_VARIABLE } from '../config/environment.ts';
import { type Digest, digestOf } from '../domain/digest.ts';
import { parseErrors } from '../domain/errors.ts';
import { type HeaderList, headerValue } from '../domain/headers.ts';
import { inspectManifest } from '../domain/manifest.ts';
import { MANIFEST_TYPES, type MediaType, parseMediaType } from '../domain/media-type.ts';
import { mayLackReferrersApi } from '../domain/referrers.ts';
import { readBody } from '../lib/read-body.ts';
import type { Upstream } from '../pipeline/ports.ts';

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
  /** Whether the tag or digest exists. */
  has(reference: string): Promise<boolean>;
  /** Whether anything refers to the digest by the referrers API. */
  hasReferrers(digest: Digest): Promise<boolean>;
}

const MAX_BODY = 4 * 1024 * 1024;
const ACCEPT = [['Accept', MANIFEST_TYPES.join(', ')]] as const;

const HIDDEN = 'Schema 1 manifest not supported';
const ADVICE =
  ': GitLab hands out no index without mediaType, so that it cannot be repaired from here; push it again with its mediaType';
const LOGIN = `: set ${CREDENTIALS_VARIABLE}=name:password, or the credentials of the upstream`;

export function createRegistry(upstream: Pick<Upstream, 'request'>, repository: string): Registry {
  const base = `/v2/${repository}`;
  async function ask(method: 'GET' | 'HEAD' | 'PUT', path: string, put?: { bytes: Uint8Array; type: MediaType }) {
    const headers: HeaderList = put === undefined ? ACCEPT : [['Content-Type', put.type]];
    const answer = await upstream.request({ method, path: base + path, headers, ...(put && { body: put.bytes }) });
    const body = await readBody(answer.body, MAX_BODY);
    if (body === 'too-large') throw new Error(`${method} ${path} was answered with more than 4 MiB`);
    return { status: answer.status, headers: answer.headers, body };
  }
  function refusal(what: string, status: number, body: Uint8Array): Error {
    const said = parseErrors(body)?.[0]?.message ?? '';
    const remedy = said === HIDDEN ? ADVICE : status === 401 ? LOGIN : '';
    return new Error(`${what} was answered ${status} ${said}`.trimEnd() + remedy);
  }
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
    async has(reference) {
      const { status, body } = await ask('HEAD', `/manifests/${reference}`);
      if (status === 200 || status === 404) return status === 200;
      throw refusal(`HEAD of ${reference}`, status, body);
    },
    async hasReferrers(digest) {
      const { status, body } = await ask('GET', `/referrers/${digest}`);
      if (mayLackReferrersApi(status)) return false;
      if (status !== 200) throw refusal('the question for referrers', status, body);
      const { shape, keysAreExact, descriptors } = inspectManifest(body);
      // A login page with status 200 is how some registries without the API answer; others are only broken.
      if (shape !== 'index' || !keysAreExact)
        throw new Error(
          'the question for referrers was answered 200 with no index: nobody can tell; --force repairs it',
        );
      return descriptors.some(({ role }) => role === 'child');
    },
  };
}

import { lookup } from 'node:dns';
import { Readable } from 'node:stream';
import { digestOf } from '../../src/domain/digest.ts';
import { type HeaderList, headerValue } from '../../src/domain/headers.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/domain/media-type.ts';
import { unavailable } from '../../src/domain/unavailable.ts';
import type { Upstream, UpstreamRequest, UpstreamResponse } from '../../src/pipeline/ports.ts';
import { DEFAULT_TIMEOUTS } from '../../src/upstream/wire.ts';
import { errorAnswer, type FakeAnswer, registryHeaders } from './fake-upstream.ts';

/** A registry whose repositories are open to some callers; content is shared by digest, as registries do. */
export interface GuardedRegistry extends Upstream {
  /** Set: nobody answers, or everything is answered with this status. */
  failing: 'silent' | number | undefined;
  allow(caller: string, repository: string): void;
  revoke(caller: string, repository: string): void;
  mayRead(caller: string, repository: string): boolean;
  putManifest(repository: string, tag: string, bytes: Uint8Array, mediaType: string): void;
  putBlob(repository: string, bytes: Uint8Array): void;
  has(repository: string, kind: string, reference: string): boolean;
  /** What the registry itself answers to this caller. */
  answerTo(request: Pick<UpstreamRequest, 'method' | 'path' | 'headers'>): FakeAnswer;
}

/** The referrers of whatever the repository has. */
export function listOf(repository: string): string {
  const one = { mediaType: OCI_MANIFEST, digest: digestOf(Buffer.from(repository)), size: 7 };
  return JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [one] });
}

interface Content {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** In which Artifactory takes a key in place of a password. */
export const KEY_FIELD = 'X-JFrog-Art-Api';

/** Callers are named by their `Authorization`, or by their key; whoever has none is `''`. */
export function guardedRegistry(): GuardedRegistry {
  const content = new Map<string, Content>();
  const rights = new Set<string>();
  const keyOf = (...parts: readonly string[]) => parts.join(' ');

  function answerTo({ path, headers }: Pick<UpstreamRequest, 'method' | 'path' | 'headers'>): FakeAnswer {
    const [, repository = '', kind = '', reference = ''] =
      /^\/v2\/(.+)\/(manifests|blobs|referrers)\/([^?]+)/.exec(path) ?? [];
    const caller = headerValue(headers, 'Authorization') ?? headerValue(headers, KEY_FIELD) ?? '';
    if (!rights.has(keyOf(caller, repository))) {
      const challenge: HeaderList = [['WWW-Authenticate', 'Bearer realm="http://registry.test:5001/token"']];
      return caller === '' ? errorAnswer(401, 'UNAUTHORIZED', 'no', challenge) : errorAnswer(403, 'DENIED');
    }
    if (kind === 'referrers') return { status: 200, headers: [['Content-Type', OCI_INDEX]], body: listOf(repository) };
    const found = content.get(keyOf(repository, kind, reference));
    if (found === undefined) return errorAnswer(404, kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN');
    const { bytes, mediaType } = found;
    return { status: 200, headers: registryHeaders(digestOf(bytes), bytes, mediaType), body: bytes };
  }
  const registry: GuardedRegistry = {
    name: 'registry',
    origin: 'http://registry.test:5001',
    basePath: '',
    authority: 'caller',
    hasAccount: false,
    authorize: async ({ headers }) => headers,
    addresses: { allowsHost: () => true, lookup },
    timeouts: DEFAULT_TIMEOUTS,
    failing: undefined,
    allow: (caller, repository) => void rights.add(keyOf(caller, repository)),
    revoke: (caller, repository) => void rights.delete(keyOf(caller, repository)),
    mayRead: (caller, repository) => rights.has(keyOf(caller, repository)),
    putManifest(repository, tag, bytes, mediaType) {
      for (const reference of [tag, digestOf(bytes)])
        content.set(keyOf(repository, 'manifests', reference), { bytes, mediaType });
    },
    putBlob(repository, bytes) {
      content.set(keyOf(repository, 'blobs', digestOf(bytes)), { bytes, mediaType: 'application/octet-stream' });
    },
    outlook: () => ({ ask: true, patience: Number.POSITIVE_INFINITY }),
    has: (repository, kind, reference) => content.has(keyOf(repository, kind, reference)),
    answerTo,
    async request(request): Promise<UpstreamResponse> {
      const { failing } = registry;
      if (failing === 'silent') throw unavailable('The registry', refusedConnection());
      const {
        status,
        headers = [],
        body = '',
      } = failing === undefined ? answerTo(request) : errorAnswer(failing, 'UNAVAILABLE');
      const bytes = Buffer.from(body as Uint8Array | string);
      const sent = request.method === 'HEAD' || bytes.length === 0 ? [] : [bytes];
      return { status, headers, body: Readable.from(sent, { objectMode: false }), redirected: false };
    },
  };
  return registry;
}

function refusedConnection(): Error {
  return Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
}

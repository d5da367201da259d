import { randomBytes } from 'node:crypto';
import { digestOf } from '../domain/digest.ts';
import { DOCKER_MANIFEST, SCHEMA1_SIGNED } from '../domain/media-type.ts';
import { type RegistryAnswer, type RegistryRequest, type Repository, refusal, type StoredManifest } from './message.ts';

/** What a manifest may hold, as far as this registry looks. */
interface Document {
  readonly mediaType?: unknown;
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
}

/** docker-registry 2.8: without an Accept that names schema 2, the image is turned into schema 1, signed anew each time. */
export function getManifest(repository: Repository, reference: string, request: RegistryRequest): RegistryAnswer {
  const stored = repository.manifests.get(reference);
  if (stored === undefined) return refusal(404, 'MANIFEST_UNKNOWN', 'manifest unknown', { Tag: reference });
  const asSchema1 = stored.mediaType === DOCKER_MANIFEST && !(request.headers.accept ?? '').includes(DOCKER_MANIFEST);
  return manifestAnswer(asSchema1 ? schema1Of(stored, repository.name, reference) : stored);
}

/** GitLab's registry: a stored index without mediaType counts as schema 1, whatever the client accepts. */
export function getManifestFromGitlab(repository: Repository, reference: string): RegistryAnswer {
  const stored = repository.manifests.get(reference);
  if (stored === undefined) return refusal(404, 'MANIFEST_UNKNOWN', 'manifest unknown', { Tag: reference });
  const typed = (JSON.parse(Buffer.from(stored.bytes).toString()) as Document).mediaType !== undefined;
  return typed ? manifestAnswer(stored) : refusal(400, 'MANIFEST_INVALID', 'Schema 1 manifest not supported');
}

/** Reads a body as Go does: a JSON string, or another document than the Content-Type says, is "manifest invalid". */
export function putManifest(repository: Repository, reference: string, request: RegistryRequest): RegistryAnswer {
  const { body, headers } = request;
  const mediaType = headers['content-type'] ?? '';
  const document = parse(body);
  if (typeof document === 'string')
    return invalid({ Value: 'string', Type: {}, Offset: body.length, Struct: '', Field: '' });
  if (document === undefined || document.mediaType !== mediaType) return invalid({});
  const wanted = [document.config, ...(document.layers ?? [])].flatMap((descriptor) => descriptor?.digest ?? []);
  const missing = wanted.find((digest) => !repository.blobs.has(digest));
  if (missing !== undefined) return refusal(400, 'MANIFEST_BLOB_UNKNOWN', 'blob unknown to registry', missing);
  const digest = digestOf(body);
  for (const key of [reference, digest]) repository.manifests.set(key, { bytes: body, mediaType });
  const location = `http://${headers.host}/v2/${repository.name}/manifests/${digest}`;
  return { status: 201, headers: { Location: location, 'Docker-Content-Digest': digest } };
}

function manifestAnswer({ bytes, mediaType }: StoredManifest): RegistryAnswer {
  const digest = digestOf(bytes);
  const headers = { 'Content-Type': mediaType, 'Docker-Content-Digest': digest, Etag: `"${digest}"` };
  return { status: 200, headers, body: bytes };
}

function schema1Of({ bytes }: StoredManifest, name: string, tag: string): StoredManifest {
  const { layers = [] } = JSON.parse(Buffer.from(bytes).toString()) as Document;
  const document = {
    schemaVersion: 1,
    name,
    tag,
    architecture: 'amd64',
    fsLayers: layers.map(({ digest }) => ({ blobSum: digest })),
    history: layers.map(() => ({ v1Compatibility: '{}' })),
    signatures: [{ header: { alg: 'ES256' }, signature: randomBytes(64).toString('base64url') }],
  };
  return { bytes: Buffer.from(JSON.stringify(document, null, 3)), mediaType: SCHEMA1_SIGNED };
}

function parse(body: Buffer): Document | string | undefined {
  try {
    return JSON.parse(body.toString()) as Document | string;
  } catch {
    return undefined;
  }
}

function invalid(detail: object): RegistryAnswer {
  return refusal(400, 'MANIFEST_INVALID', 'manifest invalid', detail);
}

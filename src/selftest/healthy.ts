import { randomUUID } from 'node:crypto';
import { type RegistryAnswer, type RegistryRequest, type Repository, refusal } from '../broken/message.ts';
import { digestOf } from '../domain/digest.ts';

/** Answers as a registry without defects does, as far as the cases need it. */
export function answerWell(request: RegistryRequest, repository: Repository): RegistryAnswer {
  const answer = route(request, repository);
  return { ...answer, headers: { 'Docker-Distribution-Api-Version': 'registry/2.0', ...answer.headers } };
}

function route(request: RegistryRequest, repository: Repository): RegistryAnswer {
  const { method, path } = request;
  if (path === '/v2/') return { status: 200 };
  if (path === '/v2/_catalog') return json({ repositories: [repository.name] });
  const [, kind, last = ''] = /\/(manifests|blobs\/uploads|blobs|tags|referrers)(?:\/([^/]*))?$/.exec(path) ?? [];
  switch (kind) {
    case 'manifests':
      if (method === 'DELETE') return { status: 202 };
      return method === 'PUT' ? putManifest(request, repository, last) : getManifest(repository, last);
    case 'blobs':
      return getBlob(repository, last);
    case 'blobs/uploads':
      return upload(request, repository, last);
    case 'tags':
      return json({ name: repository.name, tags: ['a', 'b', 'c'] });
    case 'referrers':
      return { ...json({ schemaVersion: 2, mediaType: INDEX, manifests: [] }), headers: { 'Content-Type': INDEX } };
    default:
      return refusal(404, 'NAME_UNKNOWN', 'not found');
  }
}

const INDEX = 'application/vnd.oci.image.index.v1+json';

function getManifest({ manifests }: Repository, reference: string): RegistryAnswer {
  const stored = manifests.get(reference);
  if (stored === undefined) return refusal(404, 'MANIFEST_UNKNOWN', 'manifest unknown');
  const digest = digestOf(stored.bytes);
  const headers = { 'Content-Type': stored.mediaType, 'Docker-Content-Digest': digest, ETag: `"${digest}"` };
  return { status: 200, headers, body: stored.bytes };
}

function putManifest({ body, headers }: RegistryRequest, repository: Repository, reference: string): RegistryAnswer {
  const digest = digestOf(body);
  for (const key of [reference, digest]) {
    repository.manifests.set(key, { bytes: body, mediaType: headers['content-type'] ?? '' });
  }
  return created(repository, 'manifests', digest);
}

function getBlob({ blobs }: Repository, digest: string): RegistryAnswer {
  const bytes = blobs.get(digest);
  if (bytes === undefined) return refusal(404, 'BLOB_UNKNOWN', 'blob unknown to registry');
  const headers = { 'Content-Type': 'application/octet-stream', 'Docker-Content-Digest': digest };
  return { status: 200, headers, body: bytes };
}

function upload(request: RegistryRequest, repository: Repository, id: string): RegistryAnswer {
  const { method, query, body } = request;
  if (method === 'POST') return session(repository, randomUUID(), new Uint8Array());
  const before = repository.sessions.get(id);
  if (before === undefined) return refusal(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');
  const content = Buffer.concat([before, body]);
  if (method === 'PATCH') return session(repository, id, content);
  const digest = query.get('digest') ?? '';
  if (digestOf(content) !== digest) return refusal(400, 'DIGEST_INVALID', 'digest invalid');
  repository.sessions.delete(id);
  repository.blobs.set(digest, content);
  return created(repository, 'blobs', digest);
}

function session(repository: Repository, id: string, content: Uint8Array): RegistryAnswer {
  repository.sessions.set(id, content);
  const location = `/v2/${repository.name}/blobs/uploads/${id}?_state=${STATE}`;
  return { status: 202, headers: { Location: location, Range: `0-${Math.max(0, content.length - 1)}` } };
}

/** Upload state that ends in padding, percent-encoded as registries write it. */
export const STATE = 'c3RhdGU%3D';

function created({ name }: Repository, kind: string, digest: string): RegistryAnswer {
  return { status: 201, headers: { Location: `/v2/${name}/${kind}/${digest}`, 'Docker-Content-Digest': digest } };
}

function json(document: object): RegistryAnswer {
  return { status: 200, headers: { 'Content-Type': 'application/json' }, body: Buffer.from(JSON.stringify(document)) };
}

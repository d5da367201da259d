import { getManifest, getManifestFromGitlab, putManifest } from './broken-manifests.ts';
import { finishUpload, openSession, redirectToSlash } from './broken-uploads.ts';
import { type RegistryAnswer, type RegistryRequest, type Repository, refusal } from './message.ts';
import type { Behaviour } from './server.ts';

/** The software whose defects a registry has: docker-registry 2.8, or GitLab's before its type detection was repaired. */
type Software = 'docker-registry' | 'gitlab';

/** Answers as that software does, with its defects. */
export function behaviourOf(software: Software): Behaviour {
  return (request, repository) => {
    const { headers, ...rest } = answer(software, repository, request);
    return { ...rest, headers: { 'Docker-Distribution-Api-Version': 'registry/2.0', ...headers } };
  };
}

function answer(
  software: Software,
  repository: (name: string) => Repository,
  request: RegistryRequest,
): RegistryAnswer {
  const [, name, kind, last = ''] =
    /^\/v2\/(.+?)\/(manifests|blobs\/uploads|blobs)(?:\/(.*))?$/.exec(request.path) ?? [];
  if (name === undefined)
    return { status: 404, headers: { 'Content-Type': 'text/plain' }, body: Buffer.from('404 page not found\n') };
  const there = repository(name);
  if (kind === 'manifests') {
    if (request.method === 'PUT') return putManifest(there, last, request);
    return software === 'gitlab' ? getManifestFromGitlab(there, last) : getManifest(there, last, request);
  }
  if (kind === 'blobs') return getBlob(there, last);
  if (request.method === 'PUT') return finishUpload(there, last, request);
  return request.path.endsWith('/') ? openSession(there, request) : redirectToSlash(there);
}

function getBlob({ blobs }: Repository, digest: string): RegistryAnswer {
  const bytes = blobs.get(digest);
  if (bytes === undefined) return refusal(404, 'BLOB_UNKNOWN', 'blob unknown to registry', digest);
  return {
    status: 200,
    headers: { 'Content-Type': 'application/octet-stream', 'Docker-Content-Digest': digest },
    body: bytes,
  };
}

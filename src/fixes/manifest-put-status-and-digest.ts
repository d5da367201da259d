import { algorithmOf, type Digest, digestOf, parseDigest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import { headerValue, withHeader } from '../domain/headers.ts';
import type { Reference, RepositoryName } from '../domain/reference.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { Fix, ResponseChange, ResponseView } from './fix.ts';

/** containerd, oras and regclient compare the answer with what they sent, and want exactly 201. */
export const manifestPutStatusAndDigest: Fix = {
  id: 'manifest-put-status-and-digest',
  title: 'A manifest that was stored is answered with 201 and the digest of the bytes that were pushed',
  symptom: '`unexpected status: 202 Accepted`; `got digest sha256:2222..., expected sha256:a8e0...`',
  defaultMode: 'on',
  digest: 'unchanged',
  response: (view) => {
    const { method, route } = view.request;
    if (method !== 'PUT' || route.kind !== 'manifest' || view.status < 200 || view.status > 299) return undefined;
    const bytes = view.request.manifest?.bytes;
    // A registry announces the digest of what schema 1 signs, not that of the body.
    if (bytes === undefined || view.request.manifest?.inspection.shape === 'schema1') return undefined;
    const reported = parseDigest(headerValue(view.headers, 'Docker-Content-Digest') ?? '');
    if (reported !== undefined && digestOf(bytes, algorithmOf(reported)) !== reported) return altered(bytes, reported);
    const pushed =
      reported !== undefined && route.reference.kind === 'tag' ? reported : pushedDigest(bytes, route.reference);
    return asCreated(view, route.repository, pushed);
  },
};

/** In the algorithm that the client chose. */
function pushedDigest(bytes: Uint8Array, reference: Reference): Digest {
  return digestOf(bytes, reference.kind === 'digest' ? algorithmOf(reference.digest) : 'sha256');
}

function altered(bytes: Uint8Array, reported: Digest): ResponseChange {
  const refuse = new RegistryError('UNKNOWN', {
    status: 502,
    message: 'upstream stored something else than the manifest that was pushed',
    explanation: `The manifest that arrived has the digest ${digestOf(bytes, algorithmOf(reported))} and was sent on unchanged, but the registry says that it stored ${reported}. It, or a proxy in front of it, alters manifests, so that digests and signatures do not hold; check the tag before you use it.`,
    fix: 'manifest-put-status-and-digest',
  });
  return { note: 'refused an answer with the digest of other content', refuse };
}

function asCreated(view: ResponseView, repository: RepositoryName, digest: Digest): ResponseChange | undefined {
  const { status, clientOrigin } = view;
  let headers = view.headers;
  if (headerValue(headers, 'Docker-Content-Digest') !== digest)
    headers = withHeader(headers, 'Docker-Content-Digest', digest);
  if (!leadsTo(headerValue(headers, 'Location'), clientOrigin, digest)) {
    const manifest = formatRoute({ kind: 'manifest', repository, reference: { kind: 'digest', digest } });
    headers = withHeader(headers, 'Location', `${clientOrigin}${manifest}`);
  }
  if (status === 201 && headers === view.headers) return undefined;
  return { note: `answered ${status} with 201 and the digest of what was pushed`, status: 201, headers };
}

/** Through manifix, and not to another digest; a registry may name the tag. */
function leadsTo(location: string | undefined, clientOrigin: string, digest: Digest): boolean {
  if (location?.startsWith(`${clientOrigin}/`) !== true) return false;
  const named = parseDigest(location.slice(location.lastIndexOf('/') + 1));
  return named === undefined || named === digest;
}

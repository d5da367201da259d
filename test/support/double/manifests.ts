import { headerValue } from '../headers.ts';
import { sha256 } from '../images.ts';
import type { DoubleContent } from './content.ts';
import { answer, type DoubleRequest, type DoubleResponse, errorAnswer } from './message.ts';

/** A manifest document as far as the double looks into it. */
export interface ManifestDocument {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config?: { readonly digest: string; readonly mediaType: string };
  readonly layers?: readonly { readonly digest: string }[];
  readonly manifests?: readonly { readonly digest: string }[];
  readonly subject?: { readonly digest: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Answers the manifest endpoint: GET, HEAD, PUT, DELETE. */
export function manifestEndpoint(
  content: DoubleContent,
  request: DoubleRequest,
  repository: string,
  reference: string,
): DoubleResponse {
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return readManifest(content, request, repository, reference);
    case 'PUT':
      return putManifest(content, request, repository, reference);
    case 'DELETE':
      return content.deleteManifest(repository, reference) ? answer(202) : unknownManifest();
    default:
      return errorAnswer(405, 'UNSUPPORTED', 'The operation is unsupported.');
  }
}

/** Reads a manifest; undefined when its bytes are no JSON object. */
export function readDocument(bytes: Buffer): ManifestDocument | undefined {
  try {
    // The members are checked where they are used; a test registry need not distrust its own tests further.
    const document = JSON.parse(bytes.toString('utf8')) as unknown;
    return typeof document === 'object' && document !== null ? document : undefined;
  } catch {
    return undefined;
  }
}

function readManifest(
  content: DoubleContent,
  request: DoubleRequest,
  repository: string,
  reference: string,
): DoubleResponse {
  const found = content.manifest(repository, reference);
  if (found === undefined) return unknownManifest();
  const { digest, manifest } = found;
  const validators = [
    ['Docker-Content-Digest', digest],
    ['ETag', `"${digest}"`],
  ] as const;
  if (headerValue(request.headers, 'If-None-Match') === `"${digest}"`) return answer(304, validators);
  return answer(200, [['Content-Type', manifest.mediaType], ...validators], manifest.bytes);
}

function putManifest(
  content: DoubleContent,
  request: DoubleRequest,
  repository: string,
  reference: string,
): DoubleResponse {
  const document = readDocument(request.body);
  if (document === undefined) return errorAnswer(400, 'MANIFEST_INVALID', 'manifest invalid', {});
  const digest = sha256(request.body);
  if (reference.includes(':') && reference !== digest) {
    return errorAnswer(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
  }
  const missing = missingReference(content, repository, document);
  if (missing !== undefined) {
    return errorAnswer(404, 'MANIFEST_BLOB_UNKNOWN', 'blob unknown to registry', { digest: missing });
  }
  const [mediaType = ''] = (headerValue(request.headers, 'Content-Type') ?? '').split(';');
  content.putManifest(repository, reference, { bytes: request.body, mediaType: mediaType.trim() });
  return answer(201, [
    ['Location', `/v2/${repository}/manifests/${digest}`],
    ['Docker-Content-Digest', digest],
    ...(document.subject === undefined ? [] : [['OCI-Subject', document.subject.digest] as const]),
  ]);
}

function missingReference(
  content: DoubleContent,
  repository: string,
  { config, layers = [], manifests = [] }: ManifestDocument,
): string | undefined {
  const blobs = config === undefined ? layers : [config, ...layers];
  const missing =
    blobs.find(({ digest }) => content.blob(repository, digest) === undefined) ??
    manifests.find(({ digest }) => content.manifest(repository, digest) === undefined);
  return missing?.digest;
}

function unknownManifest(): DoubleResponse {
  return errorAnswer(404, 'MANIFEST_UNKNOWN', 'manifest unknown');
}

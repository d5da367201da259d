import { randomUUID } from 'node:crypto';
import { readDocument } from '../double/manifests.ts';
import type { DoubleRequest, DoubleResponse } from '../double/message.ts';
import { answer, errorAnswer } from '../double/message.ts';
import { routeOf } from '../double/route.ts';
import { headerValue, headerValues } from '../headers.ts';
import { manifestTypes, mediaTypes } from '../images.ts';
import { type DefectContext, type DefectTable, onManifest, refuse } from './defect.ts';

const SCHEMA_1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws';

/** Registries that read `Accept`, queries or media types in their own way. */
export const negotiationDefects: DefectTable = {
  'strict-accept': strictAccept,
  'first-accept-only': onManifest((response, request) =>
    servable(headerValues(request.headers, 'Accept').slice(0, 1), response) ? response : notAcceptable(),
  ),
  'rejects-repeated-accept': refuse(
    (request, { kind }) => kind === 'manifest' && headerValues(request.headers, 'Accept').length > 1,
    notAcceptable,
  ),
  'rejects-manifest-accept-elsewhere': refuse(
    (request, { kind }) => kind !== 'manifest' && manifestTypes.some((type) => accepted(request).includes(type)),
    notAcceptable,
  ),
  'rejects-unknown-query': refuse(
    ({ query }, { kind }) => kind === 'manifest' && query.size > 0,
    () => errorAnswer(400, 'UNSUPPORTED', 'unknown query parameter'),
  ),
  'gitlab-nomt': onManifest((response) =>
    isIndexWithoutMediaType(response)
      ? errorAnswer(400, 'MANIFEST_INVALID', 'Schema 1 manifest not supported')
      : response,
  ),
};

// As distribution 2.8: OCI documents only to those who name their exact type, schema 2 as schema 1 by tag to the others.
// An index without mediaType is not recognised as OCI there, and served to everyone.
async function strictAccept(context: DefectContext): Promise<DoubleResponse> {
  const { request, respondNormally } = context;
  const response = await respondNormally();
  const route = routeOf(request.path);
  if (route.kind !== 'manifest' || !isRead(request) || response.status !== 200) return response;
  const type = headerValue(response.headers, 'Content-Type') ?? '';
  if (accepted(request).includes(type) || isIndexWithoutMediaType(response)) return response;
  if (type === mediaTypes.ociIndex)
    return ociRefusal('OCI index found, but accept header does not support OCI indexes');
  if (type === mediaTypes.ociManifest) {
    return ociRefusal('OCI manifest found, but accept header does not support OCI manifests');
  }
  return route.reference.includes(':') ? response : downConverted(context, response, route.repository);
}

function downConverted({ request, content }: DefectContext, response: DoubleResponse, repository: string) {
  const acceptsImages = accepted(request).includes(mediaTypes.dockerManifest);
  const child = readDocument(response.body)?.manifests?.[0]?.digest;
  const image = child === undefined ? undefined : content.manifest(repository, child);
  if (acceptsImages && image !== undefined) {
    const { digest, manifest } = image;
    const headers = [
      ['Content-Type', manifest.mediaType],
      ['Docker-Content-Digest', digest],
      ['ETag', `"${digest}"`],
    ] as const;
    return answer(200, headers, manifest.bytes);
  }
  return schema1(repository);
}

// Signed anew for every request: the digest is that of the payload, never of the body.
function schema1(repository: string): DoubleResponse {
  const payload = {
    schemaVersion: 1,
    name: repository,
    tag: 'latest',
    architecture: 'amd64',
    fsLayers: [],
    history: [],
  };
  const body = JSON.stringify({ ...payload, signatures: [{ signature: randomUUID() }] }, null, 3);
  const headers = [
    ['Content-Type', SCHEMA_1],
    ['Docker-Content-Digest', `sha256:${'5'.repeat(64)}`],
  ] as const;
  return answer(200, headers, body);
}

function accepted({ headers }: DoubleRequest): string[] {
  return headerValues(headers, 'Accept')
    .flatMap((line) => line.split(','))
    .map((range) => (range.split(';')[0] ?? '').trim());
}

function servable(acceptLines: readonly string[], { headers }: DoubleResponse): boolean {
  return acceptLines.join(',').includes(headerValue(headers, 'Content-Type') ?? '');
}

function isIndexWithoutMediaType({ body }: DoubleResponse): boolean {
  const document = readDocument(body);
  return document?.manifests !== undefined && document.mediaType === undefined;
}

function isRead({ method }: DoubleRequest): boolean {
  return method === 'GET' || method === 'HEAD';
}

function ociRefusal(message: string): DoubleResponse {
  return errorAnswer(404, 'MANIFEST_UNKNOWN', message);
}

function notAcceptable(): DoubleResponse {
  return errorAnswer(406, 'MANIFEST_INVALID', 'Not Acceptable');
}

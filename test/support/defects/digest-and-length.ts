import type { DoubleRequest, DoubleResponse } from '../double/message.ts';
import { errorAnswer } from '../double/message.ts';
import type { Route } from '../double/route.ts';
import { headerValue, withHeader, withoutHeader } from '../headers.ts';
import { type Defect, type DefectTable, onBlob, onManifest, onSuccess, refuse } from './defect.ts';

/** Digests, validators, lengths and bytes that are missing or wrong; HEAD that is not supported. */
export const digestAndLengthDefects: DefectTable = {
  'no-digest': onContent((response) => without(response, 'Docker-Content-Digest')),
  'digest-noalgo': onManifest((response) => digest(response, (value) => value.replace('sha256:', ''))),
  'digest-upper': onManifest((response) => digest(response, (value) => value.toUpperCase())),
  'digest-wrong': onManifest((response) => digest(response, () => `sha256:${'1'.repeat(64)}`)),
  'etag-none': onContent((response) => without(response, 'ETag')),
  'etag-unquoted': onContent((response) => changed(response, 'ETag', (value) => value.replaceAll('"', ''))),
  'etag-weak': onContent((response) => changed(response, 'ETag', (value) => `W/${value}`)),
  'no-length': onContent((response) => without(response, 'Content-Length')),
  'len-zero': onContent((response, { method }) =>
    method === 'HEAD' ? changed(response, 'Content-Length', () => '0') : response,
  ),
  head403: refuseHead(403, 'DENIED'),
  head404: refuseHead(404, 'MANIFEST_UNKNOWN'),
  head405: refuseHead(405, 'UNSUPPORTED'),
  head501: refuseHead(501, 'UNSUPPORTED'),
  'head-blob404': refuseHead(404, 'BLOB_UNKNOWN', 'blob'),
  'head-blob405': refuseHead(405, 'UNSUPPORTED', 'blob'),
  'wrong-manifest-bytes': onManifest(otherBytes),
  'wrong-blob-bytes': onBlob(otherBytes),
};

function onContent(change: (response: DoubleResponse, request: DoubleRequest) => DoubleResponse): Defect {
  return onSuccess(['GET', 'HEAD'], ['manifest', 'blob'], change);
}

function refuseHead(status: number, code: string, of: Route['kind'] = 'manifest'): Defect {
  const affected = ({ method }: DoubleRequest, { kind }: Route) => method === 'HEAD' && kind === of;
  return refuse(affected, () => errorAnswer(status, code, 'HEAD is not supported'));
}

function digest(response: DoubleResponse, change: (value: string) => string): DoubleResponse {
  return changed(response, 'Docker-Content-Digest', change);
}

function changed(response: DoubleResponse, name: string, change: (value: string) => string): DoubleResponse {
  const value = headerValue(response.headers, name) ?? '';
  return { ...response, headers: withHeader(response.headers, name, change(value)) };
}

function without(response: DoubleResponse, name: string): DoubleResponse {
  return { ...response, headers: withoutHeader(response.headers, name) };
}

// Length and, in the samples, the JSON value stay: only the hash can tell.
function otherBytes(response: DoubleResponse): DoubleResponse {
  const body = Buffer.from(response.body);
  body.fill(' ', 1, 2);
  return { ...response, body };
}

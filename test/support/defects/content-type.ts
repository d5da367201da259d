import type { DoubleResponse } from '../double/message.ts';
import { answer } from '../double/message.ts';
import { headerValue, withHeader, withoutHeader } from '../headers.ts';
import { mediaTypes } from '../images.ts';
import { type DefectTable, onManifest } from './defect.ts';

const otherKind: Readonly<Record<string, string>> = {
  [mediaTypes.ociIndex]: mediaTypes.ociManifest,
  [mediaTypes.ociManifest]: mediaTypes.ociIndex,
  [mediaTypes.dockerList]: mediaTypes.dockerManifest,
  [mediaTypes.dockerManifest]: mediaTypes.dockerList,
};

/** Manifests under a wrong Content-Type. */
export const contentTypeDefects: DefectTable = {
  'ct-json': onManifest((response) => typed(response, 'application/json')),
  'ct-text': onManifest((response) => typed(response, 'text/plain')),
  'ct-octet': onManifest((response) => typed(response, 'application/octet-stream')),
  'ct-html': onManifest((response) => typed(response, 'text/html')),
  'ct-none': onManifest((response) => ({ ...response, headers: withoutHeader(response.headers, 'Content-Type') })),
  'ct-charset': onManifest((response) => typed(response, `${contentType(response)}; charset=utf-8`)),
  wrongkind: onManifest((response) => typed(response, otherKind[contentType(response)] ?? contentType(response))),
  html200: onManifest(() => answer(200, [['Content-Type', 'text/html']], '<html><body>Please log in</body></html>')),
};

function typed(response: DoubleResponse, type: string): DoubleResponse {
  return { ...response, headers: withHeader(response.headers, 'Content-Type', type) };
}

function contentType({ headers }: DoubleResponse): string {
  return headerValue(headers, 'Content-Type') ?? '';
}

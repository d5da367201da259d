import { gzipSync } from 'node:zlib';
import type { DoubleResponse } from '../double/message.ts';
import { withHeader } from '../headers.ts';
import { type DefectTable, onBlob, onManifest } from './defect.ts';

/** Content codings that nobody asked for. */
export const encodingDefects: DefectTable = {
  gzip: onManifest(compressed),
  'gzip-blob': onBlob(compressed),
  'gzip-in-name-only': onManifest((response) => labelled(response, 'gzip')),
  // The layer is a gzip file; its digest covers the bytes as they are sent.
  'x-gzip': onBlob((response) => labelled(response, 'x-gzip')),
};

function compressed(response: DoubleResponse): DoubleResponse {
  const body = gzipSync(response.body);
  const headers = withHeader(response.headers, 'Content-Length', String(body.length));
  return labelled({ ...response, headers, body }, 'gzip');
}

function labelled(response: DoubleResponse, coding: string): DoubleResponse {
  return { ...response, headers: withHeader(response.headers, 'Content-Encoding', coding) };
}

import { headerValue } from '../headers.ts';
import type { DoubleContent } from './content.ts';
import { answer, type DoubleRequest, type DoubleResponse, errorAnswer } from './message.ts';

/** Answers the blob endpoint: GET with single ranges, HEAD, DELETE. */
export function blobEndpoint(
  content: DoubleContent,
  request: DoubleRequest,
  repository: string,
  digest: string,
): DoubleResponse {
  const bytes = content.blob(repository, digest);
  if (bytes === undefined) return errorAnswer(404, 'BLOB_UNKNOWN', 'blob unknown to registry', { digest });
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return readBlob(request, digest, bytes);
    case 'DELETE':
      content.deleteBlob(repository, digest);
      return answer(202);
    default:
      return errorAnswer(405, 'UNSUPPORTED', 'The operation is unsupported.');
  }
}

function readBlob({ method, headers }: DoubleRequest, digest: string, bytes: Buffer): DoubleResponse {
  const common = [
    ['Content-Type', 'application/octet-stream'],
    ['Docker-Content-Digest', digest],
    ['ETag', `"${digest}"`],
    ['Accept-Ranges', 'bytes'],
  ] as const;
  const range = /^bytes=(\d+)-(\d*)$/.exec(headerValue(headers, 'Range') ?? '');
  if (range === null || method === 'HEAD') return answer(200, common, bytes);
  const start = Number(range[1]);
  const end = range[2] === '' ? bytes.length - 1 : Math.min(Number(range[2]), bytes.length - 1);
  if (start > end) return answer(416, [['Content-Range', `bytes */${bytes.length}`]]);
  const contentRange = ['Content-Range', `bytes ${start}-${end}/${bytes.length}`] as const;
  return answer(206, [...common, contentRange], bytes.subarray(start, end + 1));
}

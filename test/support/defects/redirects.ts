import { createServer, type Server } from 'node:http';
import { blobEndpoint } from '../double/blobs.ts';
import type { DoubleContent } from '../double/content.ts';
import { manifestEndpoint } from '../double/manifests.ts';
import { answer, type DoubleRequest, type DoubleResponse } from '../double/message.ts';
import { routeOf } from '../double/route.ts';
import { headerList, headerValue, withoutHeader } from '../headers.ts';
import { type Defect, type DefectContext, type DefectTable, onBlob } from './defect.ts';

const signature = 'X-Amz-Algorithm=AWS4-HMAC-SHA256';

/** Content that lives elsewhere, and ranges that are not served. */
export const redirectDefects: DefectTable = {
  'redirect-blob': redirect('blob', ({ storage, request }) => `${storage}${request.path}?${signature}`),
  'redirect-303': redirect('blob', ({ storage, request }) => `${storage}${request.path}?${signature}`, 303),
  'redirect-manifest': redirect('manifest', ({ storage, request }) => `${storage}${request.path}?${signature}`),
  // As docker-registry with a slash too many, behind TLS or not: the path of its own without it.
  'redirect-own': async ({ request, respondNormally }) => {
    const host = headerValue(request.headers, 'Host') ?? '';
    if (request.query.has('own')) return respondNormally({ ...request, query: new URLSearchParams() });
    return answer(301, [['Location', `http://${host}${request.path}?own=1`]], '<a href="/">Moved Permanently</a>');
  },
  'redirect-loop': redirect('blob', ({ request }) => request.path),
  'head-presigned': redirect('blob', ({ storage, request }) => `${storage}${request.path}?${signature}&method=GET`),
  'range-ignored': async ({ request, respondNormally }) =>
    respondNormally({ ...request, headers: withoutHeader(request.headers, 'Range') }),
  'no-accept-ranges': onBlob((response) => ({
    ...response,
    headers: withoutHeader(response.headers, 'Accept-Ranges'),
  })),
};

/**
 * A storage server in the manner of S3: it serves the registry's content, and refuses requests that carry
 * `Authorization` beside the signature in the query, and HEAD where the signature is for GET.
 */
export function storageServer(content: DoubleContent): Server {
  return createServer((incoming, outgoing) => {
    const [path = '', query = ''] = (incoming.url ?? '').split('?', 2);
    const response = storageAnswer(content, {
      method: incoming.method ?? '',
      target: incoming.url ?? '',
      path,
      query: new URLSearchParams(query),
      headers: headerList(incoming.rawHeaders),
      body: Buffer.alloc(0),
    });
    outgoing.writeHead(response.status, response.headers.flat());
    outgoing.end(response.body);
  });
}

function storageAnswer(content: DoubleContent, request: DoubleRequest): DoubleResponse {
  if (headerValue(request.headers, 'Authorization') !== undefined) return storageError(400, 'InvalidArgument');
  if (request.method === 'HEAD' && request.query.get('method') === 'GET') return storageError(403, 'AccessDenied');
  const route = routeOf(request.path);
  if (route.kind === 'blob') return blobEndpoint(content, request, route.repository, route.digest);
  if (route.kind === 'manifest') return manifestEndpoint(content, request, route.repository, route.reference);
  return storageError(404, 'NoSuchKey');
}

function storageError(status: number, code: string): DoubleResponse {
  return answer(status, [['Content-Type', 'application/xml']], `<Error><Code>${code}</Code></Error>`);
}

function redirect(kind: 'blob' | 'manifest', location: (context: DefectContext) => string, status = 307): Defect {
  return async (context) => {
    const response = await context.respondNormally();
    const affected = routeOf(context.request.path).kind === kind && response.status < 300;
    return affected ? answer(status, [['Location', location(context)]]) : response;
  };
}

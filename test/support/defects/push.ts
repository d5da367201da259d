import { readDocument } from '../double/manifests.ts';
import type { DoubleRequest, DoubleResponse } from '../double/message.ts';
import { answer, errorAnswer } from '../double/message.ts';
import { type Route, routeOf } from '../double/route.ts';
import { headerValue, withHeader, withoutHeader } from '../headers.ts';
import { manifestTypes } from '../images.ts';
import { type Defect, type DefectTable, onSuccess, refuse, unreachableOrigin } from './defect.ts';

const FORM = 'application/x-www-form-urlencoded';
/** The one account that may read private repositories: alice, with the password secret. */
const ALICE = 'Basic YWxpY2U6c2VjcmV0';
const writes = ['POST', 'PATCH', 'PUT'];
const uploads = ['uploads', 'upload'] as const;

/** Answers to pushes that real clients do not understand. */
export const pushAnswerDefects: DefectTable = {
  'p-lochost': onSuccess(writes, uploads, (response) => location(response, (value) => `${unreachableOrigin}${value}`)),
  'p-locproto': onSuccess(writes, uploads, (response) =>
    location(response, (value) => `https,${unreachableOrigin}${value}`),
  ),
  'p-locrel': onOpenSession((response) => location(response, (value) => value.slice(value.lastIndexOf('/') + 1))),
  'p-noloc': onSuccess(writes, uploads, (response) => without(response, 'Location')),
  'p-twoloc': onSuccess(writes, uploads, (response) => ({
    ...response,
    headers: [...response.headers, ['Location', `${unreachableOrigin}/other`]],
  })),
  'p-204': onSuccess(['PUT'], ['upload'], (response) => ({ ...without(response, 'Content-Length'), status: 204 })),
  'p-200': onSuccess(['PUT'], ['upload'], (response) => ({ ...response, status: 200 })),
  'p-post200': onOpenSession((response, { method }) => (method === 'POST' ? { ...response, status: 200 } : response)),
  'p-patch201': onSuccess(['PATCH'], ['upload'], (response) => ({ ...response, status: 201 })),
  'p-strict-range': refuse(
    ({ method, headers, body }, { kind }) => {
      const range = headerValue(headers, 'Content-Range');
      const [, start, end] = /^(\d+)-(\d+)$/.exec(range ?? '') ?? [];
      const isRight = range === undefined || Number(end) - Number(start) + 1 === body.length;
      return method === 'PATCH' && kind === 'upload' && !isRight;
    },
    () => errorAnswer(416, 'RANGE_INVALID', 'invalid content range'),
  ),
  'p-any-range': async ({ request, respondNormally }) =>
    respondNormally({ ...request, headers: withoutHeader(request.headers, 'Content-Range') }),
  'p-get200': onSuccess(['GET'], ['upload'], (response) => ({ ...response, status: 200 })),
  'p-patch-finishes': async ({ request, content, respondNormally }) => {
    const response = await respondNormally();
    const route = routeOf(request.path);
    if (request.method !== 'PATCH' || route.kind !== 'upload') return response;
    content.putBlob(route.repository, content.uploads.get(route.session) ?? Buffer.alloc(0));
    content.uploads.delete(route.session);
    return { ...response, status: 201 };
  },
  'p-nodigest': onSuccess(['PUT'], ['upload', 'manifest'], (response) => without(response, 'Docker-Content-Digest')),
  'p-digestwrong': onSuccess(['PUT'], ['manifest'], (response) => ({
    ...response,
    headers: withHeader(response.headers, 'Docker-Content-Digest', `sha256:${'2'.repeat(64)}`),
  })),
  'p-mf202': onSuccess(['PUT'], ['manifest'], (response) => ({ ...response, status: 202 })),
  'p-range-unit': onOpenSession((response) => ({
    ...response,
    headers: withHeader(response.headers, 'Range', `bytes=${headerValue(response.headers, 'Range')}`),
  })),
  'p-norange': onOpenSession((response) => without(response, 'Range')),
};

/** Pushes that distribution 2.8 refuses or drops although the client meant well. */
export const pushRefusalDefects: DefectTable = {
  'p-slash301': refuse(
    ({ method, path }) => method === 'POST' && path.endsWith('/blobs/uploads'),
    ({ path }) => answer(301, [['Location', `${path}/`]]),
  ),
  'p-state': refuse(
    ({ query }, route) => route.kind === 'upload' && query.get('_state') !== route.session,
    () => errorAnswer(404, 'BLOB_UPLOAD_INVALID', 'blob upload invalid', 212),
  ),
  'p-form': async ({ request, respondNormally }) => {
    const isForm = headerValue(request.headers, 'Content-Type') === FORM;
    if (isForm && request.method === 'PATCH') return errorAnswer(500, 'UNKNOWN', 'unknown error', {});
    return respondNormally(isForm ? { ...request, body: Buffer.alloc(0) } : request);
  },
  'p-post202': async ({ request, respondNormally }) => {
    const inOnePost = request.method === 'POST' && request.query.has('digest');
    return respondNormally(inOnePost ? { ...request, query: new URLSearchParams() } : request);
  },
  'p-mount400': refuse(isMount, () => errorAnswer(400, 'MANIFEST_INVALID', 'manifest invalid')),
  'p-mount500': refuse(isMount, () => errorAnswer(500, 'UNKNOWN', 'unknown error')),
  'p-mount401': refuse(isMount, () => ({
    ...errorAnswer(401, 'UNAUTHORIZED', 'authentication required'),
    headers: [['WWW-Authenticate', 'Bearer realm="http://127.0.0.1:1/token",scope="repository:other:pull"']],
  })),
  'p-mount-and-push403': refuse(
    ({ method }, { kind }) => method === 'POST' && kind === 'uploads',
    ({ query }) => errorAnswer(403, 'DENIED', query.has('mount') ? 'no mount for you' : 'no push for you'),
  ),
  'p-mount403': refuse(isMount, () => errorAnswer(403, 'DENIED', 'requested access to the resource is denied')),
  'p-mount404': refuse(isMount, () => errorAnswer(404, 'BLOB_UNKNOWN', 'blob unknown to registry')),
  'p-mount405': refuse(isMount, () => errorAnswer(405, 'UNSUPPORTED', 'The operation is unsupported.')),
  'p-411': refuse(isChunked, lengthRequired),
  'p-64k': refuse(isLarge, tooLarge),
  'p-delete-by-digest': refuse(
    ({ method, path }, { kind }) => method === 'DELETE' && kind === 'manifest' && !path.includes('sha256:'),
    () => errorAnswer(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content'),
  ),
  'p-private': refuse(
    ({ method, headers }) => method !== 'PUT' && headerValue(headers, 'Authorization') !== ALICE,
    () => errorAnswer(401, 'UNAUTHORIZED', 'authentication required'),
  ),
  'p-none': refuse(({ body }) => body.length > 0, tooLarge),
  'p-411-64k': async (context) => {
    if (isChunked(context.request)) return lengthRequired();
    return isLarge(context.request) ? tooLarge() : context.respondNormally();
  },
  'p-min-chunk': onSuccess(['POST'], ['uploads'], (response) => ({
    ...response,
    headers: [...response.headers, ['OCI-Chunk-Min-Length', '262144']],
  })),
  'p-manifest-type': refuse(
    (request, { kind }) => request.method === 'PUT' && kind === 'manifest' && !hasRightType(request),
    () => errorAnswer(400, 'MANIFEST_INVALID', 'manifest invalid', {}),
  ),
  'p-manifest-400-too-large': refuse(
    ({ method, body }, { kind }) => method === 'PUT' && kind === 'manifest' && body.length > 4 * 1024 * 1024,
    () => errorAnswer(400, 'MANIFEST_INVALID', 'http: request body too large'),
  ),
};

// Answers 202 to POST and PATCH: the session goes on.
function onOpenSession(change: (response: DoubleResponse, request: DoubleRequest) => DoubleResponse): Defect {
  return onSuccess(['POST', 'PATCH'], uploads, (response, request) =>
    response.status === 202 ? change(response, request) : response,
  );
}

function location(response: DoubleResponse, change: (value: string) => string): DoubleResponse {
  const value = headerValue(response.headers, 'Location') ?? '';
  return { ...response, headers: withHeader(response.headers, 'Location', change(value)) };
}

function without(response: DoubleResponse, name: string): DoubleResponse {
  return { ...response, headers: withoutHeader(response.headers, name) };
}

function isChunked({ method, headers }: DoubleRequest): boolean {
  return writes.includes(method) && headerValue(headers, 'Transfer-Encoding') !== undefined;
}

function lengthRequired(): DoubleResponse {
  return answer(411, [['Content-Type', 'text/html']], '<html><h1>411 Length Required</h1></html>');
}

function isLarge({ body }: DoubleRequest): boolean {
  return body.length > 65_536;
}

function tooLarge(): DoubleResponse {
  return answer(413, [['Content-Type', 'text/html']], '<html><h1>413 Request Entity Too Large</h1></html>');
}

function isMount({ method, query }: DoubleRequest, { kind }: Route): boolean {
  return method === 'POST' && kind === 'uploads' && query.has('mount');
}

function hasRightType({ headers, body }: DoubleRequest): boolean {
  const type = headerValue(headers, 'Content-Type') ?? '';
  const stated = readDocument(body)?.mediaType;
  return manifestTypes.includes(type) && (stated === undefined || stated === type);
}

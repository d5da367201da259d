import { headerValue } from '../headers.ts';
import { sha256 } from '../images.ts';
import type { DoubleContent } from './content.ts';
import { answer, type DoubleRequest, type DoubleResponse, errorAnswer } from './message.ts';

/** Opens an upload session: plain, as a mount, or with the whole blob in one POST. */
export function uploadsEndpoint(content: DoubleContent, request: DoubleRequest, repository: string): DoubleResponse {
  if (request.method !== 'POST') return errorAnswer(405, 'UNSUPPORTED', 'The operation is unsupported.');
  const mount = request.query.get('mount');
  const source = request.query.get('from');
  const mounted = mount === null || source === null ? undefined : content.blob(source, mount);
  if (mounted !== undefined) return created(repository, content.putBlob(repository, mounted));
  const digest = request.query.get('digest');
  if (digest !== null) return store(content, repository, digest, request.body);
  return accepted(content, repository, content.openUpload());
}

/** Answers an open session: PATCH, PUT, GET, DELETE. */
export function uploadEndpoint(
  content: DoubleContent,
  request: DoubleRequest,
  repository: string,
  session: string,
): DoubleResponse {
  const received = content.uploads.get(session);
  if (received === undefined) return errorAnswer(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');
  switch (request.method) {
    case 'PATCH':
      return append(content, request, repository, session, received);
    case 'PUT':
      content.uploads.delete(session);
      return store(content, repository, request.query.get('digest') ?? '', Buffer.concat([received, request.body]));
    case 'GET':
      return { ...accepted(content, repository, session), status: 204 };
    case 'DELETE':
      content.uploads.delete(session);
      return answer(204);
    default:
      return errorAnswer(405, 'UNSUPPORTED', 'The operation is unsupported.');
  }
}

function append(
  content: DoubleContent,
  { headers, body }: DoubleRequest,
  repository: string,
  session: string,
  received: Buffer,
): DoubleResponse {
  const start = /^(\d+)-/.exec(headerValue(headers, 'Content-Range') ?? '')?.[1];
  if (start !== undefined && Number(start) !== received.length) {
    return { ...accepted(content, repository, session), status: 416 };
  }
  content.uploads.set(session, Buffer.concat([received, body]));
  return accepted(content, repository, session);
}

function store(content: DoubleContent, repository: string, digest: string, bytes: Buffer): DoubleResponse {
  if (sha256(bytes) !== digest) {
    return errorAnswer(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
  }
  return created(repository, content.putBlob(repository, bytes));
}

function created(repository: string, digest: string): DoubleResponse {
  return answer(201, [
    ['Location', `/v2/${repository}/blobs/${digest}`],
    ['Docker-Content-Digest', digest],
  ]);
}

// Like distribution, an empty session says 0-0.
function accepted(content: DoubleContent, repository: string, session: string): DoubleResponse {
  const length = content.uploads.get(session)?.length ?? 0;
  return answer(202, [
    ['Location', `/v2/${repository}/blobs/uploads/${session}?_state=${session}`],
    ['Range', `0-${Math.max(0, length - 1)}`],
    ['Docker-Upload-UUID', session],
  ]);
}

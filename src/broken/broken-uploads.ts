import { randomBytes, randomUUID } from 'node:crypto';
import { digestOf } from '../domain/digest.ts';
import { type RegistryAnswer, type RegistryRequest, type Repository, refusal } from './message.ts';

const FORM = 'application/x-www-form-urlencoded';

/** docker-registry answers a POST without the slash with a redirect that most clients follow with a GET. */
export function redirectToSlash(repository: Repository): RegistryAnswer {
  return { status: 301, headers: { Location: `/v2/${repository.name}/blobs/uploads/`, 'Content-Length': '0' } };
}

/** Opens a session. A body that came with the POST is dropped, and the answer says nothing of it. */
export function openSession(repository: Repository, { headers }: RegistryRequest): RegistryAnswer {
  const id = randomUUID();
  repository.sessions.set(id, new Uint8Array());
  const location = `http://${headers.host}/v2/${repository.name}/blobs/uploads/${id}?_state=${stateOf(repository.name, id)}`;
  return { status: 202, headers: { Location: location, Range: '0-0', 'Docker-Upload-Uuid': id } };
}

/** Finishes an upload with all of its content. A refused digest ends the session. */
export function finishUpload(repository: Repository, id: string, request: RegistryRequest): RegistryAnswer {
  const state = request.query.get('_state') ?? '';
  const readable = BASE64.exec(state)?.[0].length ?? 0;
  if (readable < state.length) return refusal(404, 'BLOB_UPLOAD_INVALID', 'blob upload invalid', readable);
  if (!repository.sessions.has(id)) return refusal(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');
  const digest = request.query.get('digest');
  if (digest === null) return digestInvalid('digest missing');
  repository.sessions.delete(id);
  // A body that is declared as a form was read as one when the parameters were looked up: nothing is left of it.
  const content = request.headers['content-type'] === FORM ? Buffer.alloc(0) : request.body;
  if (digestOf(content) !== digest) return digestInvalid({ Digest: digest, Reason: {} });
  repository.blobs.set(digest, content);
  const location = `http://${request.headers.host}/v2/${repository.name}/blobs/${digest}`;
  return { status: 201, headers: { Location: location, 'Docker-Content-Digest': digest } };
}

/** The URL-safe alphabet with its padding at the end. */
const BASE64 = /^[\w-]*={0,2}/;

/** A signature and a JSON document in base64, escaped for a query; `detail` of an error counts its characters. */
function stateOf(name: string, id: string): string {
  const document = { Name: name, UUID: id, Offset: 0, StartedAt: '2020-01-21T12:42:55.314635845Z' };
  const state = Buffer.concat([randomBytes(32), Buffer.from(JSON.stringify(document))]).toString('base64');
  return encodeURIComponent(state.replaceAll('+', '-').replaceAll('/', '_'));
}

function digestInvalid(detail: unknown): RegistryAnswer {
  return refusal(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content', detail);
}

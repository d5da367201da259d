import { explanationIn } from '../broken/client.ts';
import { refusal } from '../broken/message.ts';
import { LAYER } from '../broken/sample.ts';
import { digestOf } from '../domain/digest.ts';
import { OCI_INDEX, OCI_MANIFEST, OCTET_STREAM, SCHEMA1_SIGNED } from '../domain/media-type.ts';
import { hasField, on, openUpload, type SelftestCase, type Stage, unless, withFields, withoutField } from './case.ts';
import { contentOf } from './content.ts';
import { STATE } from './healthy.ts';

const DIGEST = digestOf(LAYER);
/** Another case's repository and what it holds. */
const FOREIGN_REPOSITORY = 'selftest/delete-by-tag';
const FOREIGN = contentOf(FOREIGN_REPOSITORY);
const FORM = 'application/x-www-form-urlencoded';
/** A layer, and what a proxy with a limit takes of it. */
const LARGE = Buffer.alloc(48 * 1024, 'What does not fit is cut. ');
const TAKEN_AT_ONCE = 32 * 1024;

/** Uploads the layer in one PUT to an address made of the Location. */
async function put(stage: Stage, target: (location: string) => string, type: string = OCTET_STREAM) {
  return stage.send('PUT', target(await openUpload(stage)), { type, body: LAYER });
}
const withDigest = (location: string) => `${location}&digest=${DIGEST}`;
const pushIndex = ({ send, base, content }: Stage, type: string = OCI_INDEX, body: Uint8Array = content.index) =>
  send('PUT', `${base}/manifests/pushed`, { type, body });

/** Uploads of blobs and pushes of manifests. */
export const PUSH_CASES: readonly SelftestCase[] = [
  {
    id: 'uploads-no-trailing-slash',
    registry: ({ request, normally }) =>
      request.method === 'POST' && request.path.endsWith('/uploads')
        ? { status: 301, headers: { Location: `${request.path}/` } }
        : normally(),
    works: async ({ send, base }) => (await send('POST', `${base}/blobs/uploads`)).status === 202,
  },
  {
    id: 'second-question-mark',
    works: async (stage) => (await put(stage, (location) => `${location}?digest=${DIGEST}`)).status === 201,
  },
  {
    id: 'double-encoded-state',
    registry: unless(
      ({ request }) => request.method !== 'PUT' || request.query.get('_state') === decodeURIComponent(STATE),
      refusal(404, 'BLOB_UPLOAD_INVALID', 'blob upload invalid', 8),
    ),
    works: async (stage) =>
      (await put(stage, (location) => withDigest(location.replaceAll('%', '%25')))).status === 201,
  },
  {
    id: 'digest-parameter-shape',
    works: async (stage) => (await put(stage, (location) => `${location}&digest=${DIGEST.slice(7)}`)).status === 201,
  },
  {
    id: 'upload-form-content-type',
    registry: ({ request, normally }) =>
      normally(request.headers['content-type'] === FORM ? { ...request, body: Buffer.alloc(0) } : request),
    works: async (stage) => (await put(stage, withDigest, FORM)).status === 201,
  },
  {
    id: 'content-range-variants',
    registry: unless(
      ({ request }) => request.method !== 'PATCH' || /^\d+-\d+$/.test(String(request.headers['content-range'])),
      refusal(416, 'RANGE_INVALID', 'invalid content range'),
    ),
    works: async (stage) => {
      const headers = { 'Content-Range': `bytes 0-${LAYER.length - 1}/${LAYER.length}` };
      const location = await openUpload(stage);
      return (await stage.send('PATCH', location, { type: OCTET_STREAM, body: LAYER, headers })).status === 202;
    },
  },
  {
    id: 'single-post-monolithic',
    works: async ({ send, base }) => {
      const target = `${base}/blobs/uploads/?digest=${DIGEST}`;
      return (await send('POST', target, { type: OCTET_STREAM, body: LAYER })).status === 201;
    },
  },
  {
    id: 'body-framing-limits',
    registry: unless(
      ({ request }) => request.body.length <= TAKEN_AT_ONCE,
      refusal(413, 'SIZE_INVALID', 'request entity too large'),
    ),
    works: async (stage) => {
      const target = `${await openUpload(stage)}&digest=${digestOf(LARGE)}`;
      return (await stage.send('PUT', target, { type: OCTET_STREAM, body: LARGE })).status === 201;
    },
  },
  {
    id: 'mount-fallback',
    registry: ({ request, normally }) =>
      request.query.has('mount') ? refusal(403, 'DENIED', 'requested access to the resource is denied') : normally(),
    works: async ({ send, base }) =>
      (await send('POST', `${base}/blobs/uploads/?mount=${DIGEST}&from=selftest/other`)).status === 202,
  },
  {
    id: 'push-index-without-mediatype',
    registry: unless(
      ({ request }) => request.method !== 'PUT' || request.body.includes(OCI_INDEX),
      refusal(400, 'MANIFEST_INVALID', 'Invalid JSON syntax'),
    ),
    works: async (stage) => (await pushIndex(stage, OCI_INDEX, stage.content['untyped-index'])).status === 201,
  },
  {
    id: 'put-content-type-wrong',
    registry: unless(
      ({ request }) => request.method !== 'PUT' || request.headers['content-type'] === OCI_INDEX,
      refusal(400, 'MANIFEST_INVALID', 'manifest invalid', {}),
    ),
    works: async (stage) => (await pushIndex(stage, 'application/json')).status === 201,
  },
  {
    id: 'put-schema1-reserialised',
    registry: on('PUT', '/manifests/', () => refusal(400, 'MANIFEST_INVALID', 'manifest invalid', { Offset: 1 })),
    works: async (stage) => {
      const body = Buffer.from('{"schemaVersion":1,"fsLayers":[],"history":[],"signatures":[]}');
      const answer = await pushIndex(stage, SCHEMA1_SIGNED, body);
      return explanationIn(answer)?.includes('schema 1') === true;
    },
  },
  {
    id: 'manifest-size-limit',
    registry: on('PUT', '/manifests/', () => refusal(400, 'MANIFEST_INVALID', 'http: request body too large')),
    works: async (stage) => (await pushIndex(stage)).status === 413,
  },
  {
    id: 'upload-status-variants',
    registry: on('PUT', '/blobs/uploads/', (answer) => ({
      ...answer,
      status: answer.status === 201 ? 200 : answer.status,
    })),
    works: async (stage) => (await put(stage, withDigest)).status === 201,
  },
  {
    id: 'location-origin',
    registry: on('PUT', '/manifests/', (answer, { request }) =>
      withFields(answer, {
        Location: `${request.headers.host === undefined ? '' : `http://${request.headers.host}`}/v2/x/manifests/1`,
      }),
    ),
    works: async ({ send, base }) => {
      const answer = await send('POST', `${base}/blobs/uploads/`);
      return answer.header('Location')?.startsWith('http://') === true;
    },
  },
  {
    id: 'range-header-unit',
    registry: on('POST', '/blobs/uploads/', (answer) => withFields(answer, { Range: 'bytes=0-0' })),
    works: async ({ send, base }) => hasField(await send('POST', `${base}/blobs/uploads/`), 'Range', '0-0'),
  },
  {
    id: 'upload-no-digest-header',
    registry: on('PUT', '/blobs/uploads/', (answer) => withoutField(answer, 'Docker-Content-Digest')),
    works: async (stage) => hasField(await put(stage, withDigest), 'Docker-Content-Digest', DIGEST),
  },
  {
    id: 'manifest-put-status-and-digest',
    registry: on('PUT', '/manifests/', (answer) => ({ ...answer, status: 202 })),
    works: async (stage) => (await pushIndex(stage)).status === 201,
  },
  {
    id: 'newline-and-encoding-damage',
    registry: unless(
      ({ request: { method, path, body } }) => method !== 'PUT' || path.endsWith(digestOf(body)),
      refusal(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content'),
    ),
    works: async ({ send, base, content }) => {
      const whole = Buffer.concat([content.index, Buffer.from('\n')]);
      const target = `${base}/manifests/${digestOf(whole)}`;
      return (await send('PUT', target, { type: OCI_INDEX, body: content.index })).status === 201;
    },
  },
  {
    id: 'manifest-blob-unknown',
    registry: ({ request, repository, normally }) => {
      const lacks = request.body.includes(digestOf(FOREIGN.blob)) && !repository.blobs.has(digestOf(FOREIGN.blob));
      return request.method === 'PUT' && request.path.includes('/manifests/') && lacks
        ? refusal(400, 'MANIFEST_BLOB_UNKNOWN', 'blob unknown to registry', digestOf(FOREIGN.blob))
        : normally();
    },
    works: async (stage) => {
      // What manifix once saw elsewhere it can fill in.
      await stage.send('GET', `/v2/${FOREIGN_REPOSITORY}/blobs/${digestOf(FOREIGN.blob)}`);
      const { content } = stage;
      const image = JSON.parse(Buffer.from(content.image).toString());
      const [layer] = image.layers;
      const foreign = { ...layer, digest: digestOf(FOREIGN.blob), size: FOREIGN.blob.length };
      const body = Buffer.from(JSON.stringify({ ...image, layers: [foreign] }));
      return (await pushIndex(stage, OCI_MANIFEST, body)).status === 201;
    },
  },
  {
    id: 'delete-by-tag',
    registry: on('DELETE', '/manifests/index', () =>
      refusal(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content'),
    ),
    works: async ({ send, base }) => (await send('DELETE', `${base}/manifests/index`)).status === 202,
  },
  {
    id: 'opaque-errors',
    registry: on('PUT', '/manifests/', () => refusal(400, 'MANIFEST_INVALID', 'manifest invalid', {})),
    works: async (stage) => explanationIn(await pushIndex(stage, OCI_INDEX, Buffer.from('"$manifest"'))) !== undefined,
  },
];

import { gzipSync } from 'node:zlib';
import type { Answer } from '../broken/client.ts';
import { refusal } from '../broken/message.ts';
import { digestOf } from '../domain/digest.ts';
import { DOCKER_MANIFEST, MANIFEST_TYPES, OCI_INDEX, OCI_MANIFEST, SCHEMA1_SIGNED } from '../domain/media-type.ts';
import {
  hasField,
  NOT_ACCEPTABLE,
  on,
  onManifest,
  type SelftestCase,
  type Stage,
  unless,
  withFields,
  withoutField,
} from './case.ts';

const ALL = { Accept: MANIFEST_TYPES.join(', ') };
const get = ({ send, base }: Stage, tag: string, headers: Record<string, string | readonly string[]> = ALL) =>
  send('GET', `${base}/manifests/${tag}`, { headers });
/** The answer is the index, under this type. */
const isIndex = (answer: Answer) => answer.status === 200 && hasField(answer, 'Content-Type', OCI_INDEX);
const HIDDEN = refusal(404, 'MANIFEST_UNKNOWN', 'OCI index found, but accept header does not support OCI indexes');
const FALLBACK_TAG = `sha256-${'0'.repeat(64)}`;
const html = (status: number) => ({
  status,
  headers: { 'Content-Type': 'text/html' },
  body: Buffer.from('<html>Log in</html>'),
});

/** Pulls: what clients ask for, and how registries describe manifests and blobs. */
export const PULL_CASES: readonly SelftestCase[] = [
  {
    id: 'library-prefix',
    kind: 'dockerhub',
    registry: unless(({ request }) => request.path.startsWith('/v2/library/'), refusal(404, 'NAME_UNKNOWN', 'unknown')),
    works: async (stage) => (await get(stage, 'index')).status === 200,
  },
  {
    id: 'accept-shape',
    registry: unless(({ request }) => request.acceptLines.length === 1, NOT_ACCEPTABLE),
    works: async (stage) => isIndex(await get(stage, 'index', { Accept: [OCI_MANIFEST, OCI_INDEX] })),
  },
  {
    id: 'accept-missing-oci-404',
    registry: unless(({ request }) => request.acceptLines.join().includes(OCI_INDEX), HIDDEN),
    works: async (stage) => isIndex(await get(stage, 'index', { Accept: '*/*' })),
  },
  {
    id: 'accept-named-type-404-retry',
    registry: unless(({ request }) => request.acceptLines.join().includes(OCI_INDEX), HIDDEN),
    works: async (stage) => (await get(stage, 'index', { Accept: OCI_MANIFEST })).status === 200,
  },
  {
    id: 'accept-missing-schema1',
    registry: onManifest((answer, { request }) =>
      request.acceptLines.join().includes(DOCKER_MANIFEST)
        ? answer
        : {
            ...withFields(answer, { 'Content-Type': SCHEMA1_SIGNED }),
            body: Buffer.from('{"schemaVersion":1,"fsLayers":[]}'),
          },
    ),
    works: async (stage) => hasField(await get(stage, 'docker', { Accept: '*/*' }), 'Content-Type', DOCKER_MANIFEST),
  },
  {
    id: 'html-200',
    registry: onManifest(() => html(200)),
    works: async (stage) => (await get(stage, 'index')).body.includes('text/html'),
  },
  {
    id: 'gzip-content-encoding',
    registry: onManifest((answer, { content }) => {
      const body = gzipSync(content.index);
      return { ...withFields(answer, { 'Content-Encoding': 'gzip', 'Content-Length': String(body.length) }), body };
    }),
    works: async (stage) => {
      const answer = await get(stage, 'index');
      return answer.header('Content-Encoding') === undefined && answer.body.equals(stage.content.index);
    },
  },
  {
    id: 'content-type-charset',
    registry: onManifest((answer) => withFields(answer, { 'Content-Type': `${OCI_INDEX}; charset=utf-8` })),
    works: async (stage) => isIndex(await get(stage, 'index')),
  },
  {
    id: 'content-type-generic',
    registry: onManifest((answer) => withFields(answer, { 'Content-Type': 'application/json' })),
    works: async (stage) => isIndex(await get(stage, 'index')),
  },
  {
    id: 'type-conflict',
    registry: onManifest((answer) => withFields(answer, { 'Content-Type': OCI_MANIFEST })),
    works: async (stage) => isIndex(await get(stage, 'index')),
  },
  {
    id: 'docker-content-digest-missing',
    registry: onManifest((answer) => withoutField(answer, 'Docker-Content-Digest')),
    works: async (stage) => hasField(await get(stage, 'index'), 'Docker-Content-Digest', digestOf(stage.content.index)),
  },
  {
    id: 'docker-content-digest-bad',
    registry: onManifest((answer) => withFields(answer, { 'Docker-Content-Digest': 'abc' })),
    works: async (stage) => hasField(await get(stage, 'index'), 'Docker-Content-Digest', digestOf(stage.content.index)),
  },
  {
    id: 'head-length',
    registry: onManifest((answer) => withFields(answer, { 'Transfer-Encoding': 'chunked' })),
    works: async ({ send, base, content }) => {
      const answer = await send('HEAD', `${base}/manifests/index`, { headers: ALL });
      return hasField(answer, 'Content-Length', String(content.index.length));
    },
  },
  {
    id: 'head-unsupported',
    registry: on('HEAD', '/manifests/', () => refusal(405, 'UNSUPPORTED', 'the operation is unsupported')),
    works: async ({ send, base }) => (await send('HEAD', `${base}/manifests/index`, { headers: ALL })).status === 200,
  },
  {
    id: 'fallback-tag-index-without-mediatype',
    registry: ({ request, normally }) =>
      normally({ ...request, path: request.path.replace(FALLBACK_TAG, 'untyped-index') }),
    works: async (stage) => (await get(stage, FALLBACK_TAG)).body.includes(`"mediaType":"${OCI_INDEX}"`),
  },
  {
    id: 'etag-and-vary',
    registry: onManifest((answer) => withFields(answer, { ETag: 'W/"1"' })),
    works: async (stage) => hasField(await get(stage, 'index'), 'ETag', `"${digestOf(stage.content.index)}"`),
  },
  {
    id: 'list-for-image-only-client',
    works: async (stage) =>
      (await get(stage, 'index', { Accept: `${OCI_MANIFEST}, ${DOCKER_MANIFEST}` })).body.equals(stage.content.image),
  },
  {
    id: 'oci-vs-docker-relabel',
    works: async (stage) => (await get(stage, 'plain-image')).body.includes(`"mediaType":"${DOCKER_MANIFEST}"`),
  },
  {
    id: 'schema1-only-image',
    works: async (stage) => hasField(await get(stage, 'schema1'), 'Content-Type', DOCKER_MANIFEST),
  },
  {
    id: 'index-without-mediatype',
    works: async (stage) => {
      const answer = await get(stage, 'untyped-index');
      return (
        answer.body.includes(`"mediaType":"${OCI_INDEX}"`) &&
        hasField(answer, 'Docker-Content-Digest', digestOf(answer.body))
      );
    },
  },
  {
    id: 'manifest-without-mediatype',
    works: async (stage) => {
      const { body } = await get(stage, 'untyped-image');
      return body.includes(`"mediaType":"${OCI_MANIFEST}"`) && !body.equals(stage.content['untyped-image']);
    },
  },
  {
    id: 'error-body-not-json',
    registry: onManifest(() => html(404)),
    works: async (stage) => (await get(stage, 'index')).body.includes('"errors"'),
  },
  {
    id: 'api-version-header',
    registry: onManifest((answer) => withoutField(answer, 'Docker-Distribution-Api-Version')),
    works: async (stage) => hasField(await get(stage, 'index'), 'Docker-Distribution-Api-Version', 'registry/2.0'),
  },
];

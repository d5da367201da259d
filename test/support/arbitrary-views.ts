import fc from 'fast-check';
import { type Digest, digestOf } from '../../src/domain/digest.ts';
import { parseErrors } from '../../src/domain/errors.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { inspectManifest } from '../../src/domain/manifest.ts';
import { MANIFEST_TYPES, SCHEMA1_SIGNED } from '../../src/domain/media-type.ts';
import type { Route } from '../../src/domain/route.ts';
import type { ListView, ManifestView, RequestView, ResponseView } from '../../src/fixes/fix.ts';
import { sampleImages } from './images.ts';
import {
  blobRoute,
  catalogRoute,
  listView,
  manifestRoute,
  manifestView,
  referrersRoute,
  repositoryName,
  requestView,
  responseView,
  someDigest,
  tagsRoute,
  uploadRoute,
  uploadStartRoute,
} from './views.ts';

/** Texts made of these fragments, so that what is worth parsing comes up often. */
function fragments(parts: readonly string[]): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...parts), { maxLength: 8 }).map((chosen) => chosen.join(''));
}

const digests: fc.Arbitrary<Digest> = fc.constantFrom(
  someDigest,
  digestOf(Buffer.from('{}')),
  digestOf(Buffer.from(''), 'sha512'),
);

const manifestRoutes = fc.constantFrom('latest', 'v1.0_x', someDigest).map((reference) => manifestRoute(reference));
const blobRoutes = digests.map((digest) => blobRoute(digest));
const uploadRoutes = fc.oneof(
  fc.boolean().map((slash) => uploadStartRoute(slash)),
  fragments(['b0a2', '%3F', '&digest=', someDigest, '%26', '..', '=', '%']).map((id) => uploadRoute(id)),
);
const routes: fc.Arbitrary<Route> = fc.oneof(
  manifestRoutes,
  blobRoutes,
  uploadRoutes,
  digests.map((digest): Route => ({ kind: 'referrers', repository: repositoryName('team/app'), digest })),
  fc.constantFrom<Route>(
    { kind: 'base' },
    { kind: 'catalog' },
    { kind: 'tags', repository: repositoryName('team/app') },
    { kind: 'other', path: '/v2/_extension' },
  ),
);

const asked: fc.Arbitrary<Pick<RequestView, 'method' | 'route'>> = fc.oneof(
  fc.record({ method: fc.constantFrom('GET', 'HEAD', 'PUT'), route: manifestRoutes }),
  fc.record({ method: fc.constantFrom('GET', 'HEAD'), route: blobRoutes }),
  fc.record({ method: fc.constantFrom('POST', 'PUT', 'PATCH'), route: uploadRoutes }),
  fc.record({ method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'), route: routes }),
);

const queries = fragments([
  ...['?', '&', '=', '%', '%25', '%3D', '%253D', '_state=', '_state=a%253D', 'digest=', '&digest=', 'mount='],
  ...[someDigest, someDigest.toUpperCase(), someDigest.slice(7), 'sha256:', '%22'],
]);

const types = fc.oneof(
  fc.constantFrom<string>(...MANIFEST_TYPES, SCHEMA1_SIGNED, 'application/json', 'text/html; charset=utf-8', '*/*'),
  fragments([
    ...MANIFEST_TYPES,
    'text/plain',
    '*/*',
    ';',
    ',',
    ' ',
    'q=0',
    '"',
    'charset=utf-8',
    'A',
    'form-urlencoded',
  ]),
);

const urls = fragments([
  ...['http://', 'https://', 'registry.test', 'manifix.test', ':5000', ':5001', '/v2/team/app/', 'blobs/uploads/', 'u'],
  ...['?', '_state=x', '<', '>', '; rel="next"', 'manifests/', someDigest],
]);

const numbers = fragments(['0', '-', '7', 'bytes=', 'bytes ', '/', '*']);

const others = fc.oneof(
  fragments(['no-cache', 'private', 'Accept', 'Accept-Encoding', ', ', 'curl/7.88.1', 'Java/17', '"', 'W/', 'gzip']),
  fc.string({ unit: 'binary', maxLength: 12 }),
);

const named = (values: fc.Arbitrary<string>, ...names: readonly string[]) =>
  fc.tuple(fc.constantFrom(...names), values);

const headers: fc.Arbitrary<HeaderList> = fc.array(
  fc.oneof(
    named(types, 'Accept', 'accept', 'Content-Type', 'content-type'),
    named(urls, 'Location', 'location', 'Link', 'Host'),
    named(numbers, 'Content-Length', 'Content-Range', 'Range'),
    named(fc.oneof(digests, numbers, others), 'Docker-Content-Digest', 'ETag'),
    named(
      others,
      'Vary',
      'Cache-Control',
      'User-Agent',
      'Content-Encoding',
      'Docker-Distribution-Api-Version',
      'X-Other',
    ),
  ),
  { maxLength: 6 },
);

const manifestBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.constantFrom(...sampleImages().map(({ bytes }) => bytes)),
  fragments([
    '{',
    '{',
    '}',
    '"manifests":[]',
    '"schemaVersion":2',
    '"layers":[]',
    ',',
    '"Config":{}',
    ' ',
    '\ufeff',
  ]).map(Buffer.from),
  fc
    .constantFrom(
      '{"schemaVersion":1,"name":"team/app","fsLayers":[],"signatures":[{"protected":"e30"}]}',
      '{"schemaVersion":2,"manifests":[],"manifests":[]}',
      '{"schemaVersion":2,"manifests":[],"config":{},"layers":[]}',
      '"$manifest"',
    )
    .map((text) => Buffer.from(text)),
  fc.json().map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 64 }),
);

const texts = fc.oneof(
  fc.json(),
  fragments(['<html>', '<', '</h1>', 'too big', '{"errors":[', '{"code":"UNKNOWN"', ',"detail":212', '}', ']}', '\0']),
  fc
    .record({
      code: fc.constantFrom('BLOB_UPLOAD_INVALID', 'DIGEST_INVALID', 'MANIFEST_INVALID', 'MANIFEST_BLOB_UNKNOWN', 'X'),
      message: fc.string(),
      detail: fc.jsonValue(),
    })
    .map((error) => JSON.stringify({ errors: [error] })),
);

/** Any request that the edge lets through to the fixes. */
export const requestViews: fc.Arbitrary<RequestView> = fc
  .record({
    asked,
    query: queries,
    headers,
    hasBody: fc.boolean(),
    uploaded: fc.option(fc.nat({ max: 10 }), { nil: undefined }),
    body: manifestBytes,
  })
  .map(({ asked: { method, route }, body, uploaded, ...view }) => {
    const buffered = method === 'PUT' && route.kind === 'manifest';
    return requestView({
      ...view,
      method,
      route,
      ...(uploaded !== undefined && { uploaded }),
      ...(buffered && { manifest: { bytes: body, inspection: inspectManifest(body) } }),
    });
  });

/** Any manifest that a registry may answer with, by tag or by its digest. */
export const manifestViews: fc.Arbitrary<ManifestView> = fc
  .record({ method: fc.constantFrom('GET', 'HEAD'), byDigest: fc.boolean(), body: manifestBytes, headers })
  .map(({ byDigest, ...parts }) =>
    manifestView({ ...parts, reference: byDigest ? digestOf(parts.body, 'sha256') : 'latest' }),
  );

const listed = fc.oneof(
  fc.array(fc.oneof(fc.constantFrom('a', 'b', 'B', '10', '9', 'latest'), fc.jsonValue()), { maxLength: 5 }),
  fc.uniqueArray(fc.constantFrom('a', 'b', 'B', '10', '9', 'latest')),
  fc.array(fc.record({ artifactType: fc.constantFrom('a/b', 'c/d+json'), size: fc.nat() }), { maxLength: 3 }),
  fc.constantFrom(null, undefined, {}, ''),
);
const listDocuments = fc.record(
  {
    schemaVersion: fc.constantFrom(1, 2),
    mediaType: fc.constantFrom('application/json', ...MANIFEST_TYPES),
    tags: listed,
    repositories: listed,
    manifests: listed,
  },
  { requiredKeys: [] },
);
const pageQueries = fragments(['n=', '0', '2', '5000', '&', 'last=', 'b', 'artifactType=', 'a/b', 'c%2Fd%2Bjson', '%']);
const listRoutes = fc.constantFrom(catalogRoute, tagsRoute, referrersRoute);

/** Any answer of a registry to a request for a list. */
export const listViews: fc.Arbitrary<ListView> = fc
  .record({
    route: listRoutes,
    query: pageQueries,
    status: fc.constantFrom(200, 200, 200, 400, 401, 404, 405, 429, 500, 501),
    headers: fc.oneof(
      headers,
      fc.array(
        fc.oneof(
          fc.constantFrom(
            ['OCI-Filters-Applied', 'artifactType'] as const,
            ['Content-Type', MANIFEST_TYPES[0]] as const,
          ),
          named(urls, 'Link'),
        ),
        { maxLength: 3 },
      ),
    ),
    document: fc.option(listDocuments, { nil: undefined }),
    text: fc.oneof(texts, fc.constantFrom('{"errors":[{"code":"PAGINATION_NUMBER_INVALID"}]}', 'no such route')),
  })
  .map(({ route, document, text, ...view }) => {
    const errors = parseErrors(Buffer.from(text));
    return listView(route, {
      ...view,
      ...(view.status === 200 ? document && { document } : { text, ...(errors && { errors }) }),
    });
  });

/** Any other answer of a registry. */
export const responseViews: fc.Arbitrary<ResponseView> = fc
  .record({
    request: requestViews,
    sent: fc.option(requestViews, { nil: undefined, freq: 2 }),
    status: fc.constantFrom(200, 201, 202, 204, 206, 301, 304, 307, 400, 401, 404, 413, 416, 429, 500, 503),
    headers,
    text: texts,
    explained: fc.boolean(),
    received: fc.option(fc.record({ digest: digests, size: fc.nat() }), { nil: undefined }),
  })
  .map(({ text, received, explained, sent, ...view }) => {
    const errors = parseErrors(Buffer.from(text));
    return responseView({
      ...view,
      ...(sent && { sent }),
      ...(received && { received }),
      ...(view.status >= 400 && { text, explained, ...(errors && { errors }) }),
    });
  });

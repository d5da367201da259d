import { algorithmOf, type Digest, digestOf, parseDigest } from '../../src/domain/digest.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import type { ListKind } from '../../src/domain/list.ts';
import { inspectManifest } from '../../src/domain/manifest.ts';
import { parseReference, parseRepositoryName, type RepositoryName } from '../../src/domain/reference.ts';
import type { Route } from '../../src/domain/route.ts';
import type { ListView, ManifestView, RequestView, ResponseView } from '../../src/fixes/fix.ts';

/** A digest that is well-formed and of nothing in particular. */
export const someDigest = digest(`sha256:${'ab'.repeat(32)}`);

/** A digest from a literal. @throws when it is outside the grammar */
export function digest(text: string): Digest {
  return parsed('digest', text, parseDigest(text));
}

/** A repository name from a literal. @throws when it is outside the grammar */
export function repositoryName(text: string): RepositoryName {
  return parsed('repository name', text, parseRepositoryName(text));
}

/** The route of `/v2/<repository>/manifests/<reference>`; the reference is a tag or a digest. */
export function manifestRoute(reference = 'latest', repository = 'team/app'): Route {
  return {
    kind: 'manifest',
    repository: repositoryName(repository),
    reference: parsed('reference', reference, parseReference(reference)),
  };
}

export function blobRoute(of: Digest = someDigest, repository = 'team/app'): Route {
  return { kind: 'blob', repository: repositoryName(repository), digest: of };
}

/** The route of `POST /v2/<repository>/blobs/uploads/`. */
export function uploadStartRoute(trailingSlash = true, repository = 'team/app'): Route {
  return { kind: 'upload-start', repository: repositoryName(repository), trailingSlash };
}

export function uploadRoute(id = 'b0a2c7de', repository = 'team/app'): Route {
  return { kind: 'upload', repository: repositoryName(repository), id };
}

/** A GET of `team/app:latest` without header fields, where not told otherwise. `clientHeaders` follow `headers`. */
export function requestView(overrides: Partial<RequestView> = {}): RequestView {
  const headers = overrides.headers ?? [];
  return {
    method: 'GET',
    route: manifestRoute(),
    query: '',
    headers,
    clientHeaders: headers,
    hasBody: false,
    ...overrides,
  };
}

/** The PUT of a manifest, its body inspected as the pipeline does it. */
export function manifestPutView(body: string | Uint8Array, overrides: Partial<RequestView> = {}): RequestView {
  const bytes = bytesOf(body);
  return requestView({
    method: 'PUT',
    hasBody: bytes.length > 0,
    manifest: { bytes, inspection: inspectManifest(bytes) },
    ...overrides,
  });
}

interface ManifestParts {
  readonly method?: string;
  /** A tag or a digest; `latest` where not told otherwise. */
  readonly reference?: string;
  readonly body?: string | Uint8Array;
  readonly headers?: HeaderList;
  readonly accepted?: ManifestView['accepted'];
  readonly schema1IsAll?: boolean;
  /** Where the pipeline announces something else than the sha256 of the body (schema 1). */
  readonly digest?: Digest;
}

/** A manifest answer by tag, digest and inspection computed as the pipeline does it. */
export function manifestView(parts: ManifestParts = {}): ManifestView {
  const bytes = bytesOf(parts.body ?? '{}');
  const text = parts.reference ?? 'latest';
  const reference = parsed('reference', text, parseReference(text));
  const algorithm = reference.kind === 'digest' ? algorithmOf(reference.digest) : 'sha256';
  return {
    method: parts.method ?? 'GET',
    reference,
    bytes,
    digest: parts.digest ?? digestOf(bytes, algorithm),
    inspection: inspectManifest(bytes),
    accepted: parts.accepted ?? [],
    schema1IsAll: parts.schema1IsAll ?? false,
    headers: parts.headers ?? [],
  };
}

/** A list that was answered with 200 and this document, where not told otherwise. `sent` follows `request`. */
export function listView(
  route: Extract<Route, { kind: ListKind }>,
  overrides: Partial<ListView> & { readonly query?: string } = {},
): ListView {
  const { query = '', ...others } = overrides;
  const request = requestView({ route, query });
  return { kind: route.kind, request, sent: request, status: 200, headers: [], ...others };
}

export const catalogRoute = { kind: 'catalog' } as const;
export const tagsRoute = { kind: 'tags', repository: repositoryName('team/app') } as const;
export const referrersRoute = {
  kind: 'referrers',
  repository: repositoryName('team/app'),
  digest: someDigest,
} as const;

/** A 200 to a GET of `team/app:latest` without header fields, where not told otherwise. `sent` follows `request`. */
export function responseView(overrides: Partial<ResponseView> = {}): ResponseView {
  const request = overrides.request ?? requestView();
  return {
    request,
    sent: request,
    status: 200,
    headers: [],
    clientOrigin: 'http://manifix.test:5000',
    upstreamOrigin: 'http://registry.test:5001',
    sealLocation: (url) => `/v2/team/app/blobs/uploads/sealed-${Buffer.from(url).toString('base64url')}`,
    ...overrides,
  };
}

function bytesOf(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : body;
}

function parsed<T>(what: string, text: string, value: T | undefined): T {
  if (value === undefined) throw new Error(`not a ${what}: ${text}`);
  return value;
}

import { Readable } from 'node:stream';
import { algorithmOf, digestOf } from '../domain/digest.ts';
import { RegistryError, renderError } from '../domain/errors.ts';
import { type HeaderList, headerValue } from '../domain/headers.ts';
import { inspectManifest } from '../domain/manifest.ts';
import { isManifestType } from '../domain/media-type.ts';
import type { Route } from '../domain/route.ts';
import { formatRoute } from '../domain/route-path.ts';
import { readHeaders } from './access.ts';
import { sendHead } from './ask-head.ts';
import type { Exchange } from './exchange.ts';
import { MAX_MANIFEST } from './fetch-manifest.ts';
import type { Services, UpstreamResponse } from './ports.ts';
import { reportRepair } from './report.ts';

type BlobRoute = Extract<Route, { kind: 'blob' }>;
type BlobResponse = Pick<UpstreamResponse, 'status' | 'headers' | 'body'>;

const FIX = 'blobs-endpoint-serves-manifest';

/** What clients are told that ask for a manifest as a blob. */
export function manifestIsNoBlob(): RegistryError {
  return new RegistryError('BLOB_UNKNOWN', {
    explanation:
      'This digest is that of a manifest, which the registry also serves as a blob. containerd would keep it as a blob for ever; ' +
      'ask for it below /manifests/.',
    fix: FIX,
  });
}

/** A 404 in place of a manifest that a registry serves as a blob; any other answer as it came. */
export async function withoutManifest<Response extends BlobResponse>(
  services: Services,
  exchange: Exchange,
  route: BlobRoute,
  response: Response,
): Promise<Response> {
  if (!mayBeManifest(exchange, route, services, response)) return response;
  if (!(await beginsAsObject(response.body))) return response;
  const { bytes, body } = await readWhole(response.body);
  if (bytes === undefined || !(await isManifest(services, exchange, route, bytes))) return { ...response, body };
  if (!refuses(services, exchange)) return { ...response, body };
  body.destroy();
  const error = manifestIsNoBlob();
  return {
    ...response,
    status: error.status,
    headers: [['Content-Type', 'application/json']],
    body: bodyOf(Buffer.from(renderError(error))),
  };
}

/** Whether a HEAD that was answered with 200 is about a manifest of this repository that is no blob. */
export async function isManifestByHead(
  services: Services,
  exchange: Exchange,
  route: BlobRoute,
  headers: HeaderList,
): Promise<boolean> {
  if (!mayBeManifest(exchange, route, services, { status: 200, headers })) return false;
  const { upstream } = exchange.endpoint;
  const linked = services.facts.link(upstream.name, route.repository, 'manifest', route.digest) !== undefined;
  if (!linked && services.defects.proven(upstream.name, FIX) === undefined) return false;
  return (linked || (await isThereAsManifest(services, exchange, route))) && refuses(services, exchange);
}

/** Notes the defect, and says whether it is to be repaired. */
function refuses(services: Services, exchange: Exchange): boolean {
  services.defects.prove(exchange.endpoint.upstream.name, FIX);
  reportRepair(exchange, FIX, 'answered 404 for a manifest that the registry serves as a blob');
  return exchange.endpoint.fixes.mode(FIX) === 'on';
}

/** What a manifest names as config or layer is a blob, whatever it looks like. */
function mayBeManifest(
  exchange: Exchange,
  { digest }: BlobRoute,
  services: Services,
  { status, headers }: Pick<BlobResponse, 'status' | 'headers'>,
): boolean {
  const { fixes, upstream } = exchange.endpoint;
  if (status !== 200 || fixes.mode(FIX) === 'off') return false;
  if (Number(headerValue(headers, 'Content-Length') ?? 0) > MAX_MANIFEST) return false;
  return services.descriptors.blob(upstream.name, digest) === undefined;
}

async function isManifest(
  services: Services,
  exchange: Exchange,
  route: BlobRoute,
  bytes: Uint8Array,
): Promise<boolean> {
  const { shape, mediaType } = inspectManifest(bytes);
  if (shape !== 'index' && shape !== 'image' && !isManifestType(mediaType)) return false;
  if (digestOf(bytes, algorithmOf(route.digest)) !== route.digest) return false;
  return isThereAsManifest(services, exchange, route);
}

/** A layer may hold a manifest: only one that the repository has below /manifests/, too, is there by mistake. */
async function isThereAsManifest(services: Services, exchange: Exchange, route: BlobRoute): Promise<boolean> {
  const { repository, digest } = route;
  const path = formatRoute({ kind: 'manifest', repository, reference: { kind: 'digest', digest } });
  const question = { kind: 'manifest', path, headers: readHeaders(exchange.request.headers) } as const;
  return sendHead(services, exchange, question).then(
    ({ status }) => status === 200,
    () => false,
  );
}

const OPEN_BRACE = 0x7b;

/** Whether the first byte is that of a JSON object; it stays in the body. Layers are gzip, zstd or tar. */
async function beginsAsObject(body: Readable): Promise<boolean> {
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false })) {
      body.unshift(chunk);
      return (chunk as Uint8Array)[0] === OPEN_BRACE;
    }
  } catch {
    // Whoever reads on learns of it.
  }
  return false;
}

/** The bytes when there are not too many, and a body that yields them, or fails as the original did. */
async function readWhole(body: Readable): Promise<{ bytes?: Uint8Array; body: Readable }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false })) {
      chunks.push(chunk as Uint8Array);
      size += (chunk as Uint8Array).length;
      if (size <= MAX_MANIFEST) continue;
      for (const read of chunks.toReversed()) body.unshift(read);
      return { body };
    }
  } catch (error) {
    return { body: failing(chunks, error) };
  }
  const bytes = Buffer.concat(chunks);
  return { bytes, body: bodyOf(bytes) };
}

function failing(chunks: readonly Uint8Array[], error: unknown): Readable {
  async function* replay() {
    yield* chunks;
    throw error;
  }
  return Readable.from(replay(), { objectMode: false });
}

function bodyOf(...chunks: readonly Uint8Array[]): Readable {
  return Readable.from(chunks, { objectMode: false });
}

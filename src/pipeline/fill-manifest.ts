import type { Digest } from '../domain/digest.ts';
import { headerValue, withHeader } from '../domain/headers.ts';
import { inspectManifest, type ManifestInspection } from '../domain/manifest.ts';
import type { RepositoryName } from '../domain/reference.ts';
import { formatRoute } from '../domain/route-path.ts';
import { readHeaders } from './access.ts';
import type { Exchange } from './exchange.ts';
import type { Services, UpstreamResponse } from './ports.ts';

type PushAnswer = Pick<UpstreamResponse, 'status' | 'headers' | 'body'>;

/**
 * Pushes a manifest of the cache to a repository, under its digest. `withParts` pushes it with what it refers to.
 * The caller may read it: that was asked before.
 */
export async function fillManifest(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  digest: Digest,
  withParts: (inspection: ManifestInspection, push: () => Promise<PushAnswer>) => Promise<PushAnswer>,
): Promise<boolean> {
  const stored = await services.manifests.get(digest);
  if (stored === undefined) return false;
  const inspection = inspectManifest(stored.bytes);
  const type = inspection.type ?? headerValue(stored.headers, 'Content-Type') ?? '';
  const answer = await withParts(inspection, () =>
    exchange.endpoint.upstream.request({
      method: 'PUT',
      path: formatRoute({ kind: 'manifest', repository, reference: { kind: 'digest', digest } }),
      headers: withHeader(readHeaders(exchange.request.headers), 'Content-Type', type),
      body: stored.bytes,
      signal: exchange.signal,
    }),
  );
  answer.body.destroy();
  return answer.status < 300;
}

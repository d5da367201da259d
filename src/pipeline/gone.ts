import { formatRoute } from '../domain/route-path.ts';
import { readHeaders } from './access.ts';
import type { Exchange } from './exchange.ts';
import type { ManifestRequest } from './resolve-manifest.ts';

/** Registries also say 404 to hide a repository from those who may not read it; what they hide is not gone. */
export async function isGone(
  exchange: Exchange,
  { repository, sent }: ManifestRequest,
  status: number,
): Promise<boolean> {
  if (status !== 404) return status === 410;
  const path = formatRoute({ kind: 'tags', repository });
  const asked = exchange.endpoint.upstream.request({ method: 'GET', path, headers: readHeaders(sent.headers) });
  const answer = await asked.catch(() => undefined);
  answer?.body.destroy();
  return answer?.status === 200;
}

import { exchange, type HttpAnswer } from '../../test/support/http.ts';
import type { Image } from './image.ts';
import { REPOSITORY } from './sizes.ts';

export const TAG = 'latest';

/** Pushes the image into a registry. @throws with the registry's answer when it refuses a step */
export async function pushImage(registry: string, { manifest, config, smallLayer, bigLayer }: Image): Promise<void> {
  for (const blob of [config, smallLayer, bigLayer]) {
    const target = `/v2/${REPOSITORY}/blobs/uploads/`;
    const session = accepted(await exchange(registry, { method: 'POST', target }));
    const location = new URL(session.header('Location') ?? '', registry);
    location.searchParams.set('digest', blob.digest);
    const headers = { 'Content-Type': 'application/octet-stream' };
    const upload = { method: 'PUT', target: location.pathname + location.search, headers, body: blob.bytes };
    accepted(await exchange(registry, upload));
  }
  const target = `/v2/${REPOSITORY}/manifests/${TAG}`;
  const headers = { 'Content-Type': manifest.mediaType };
  accepted(await exchange(registry, { method: 'PUT', target, headers, body: manifest.bytes }));
}

function accepted(answer: HttpAnswer): HttpAnswer {
  if (answer.status === 201 || answer.status === 202) return answer;
  throw new Error(`the registry refused the image of the benchmark with ${answer.status}: ${answer.body}`);
}

import type { HeaderList } from '../../src/domain/headers.ts';
import { manifestTypes } from '../../test/support/images.ts';
import { downloadBytes } from '../clients/download.ts';
import type { Context } from '../context.ts';
import { createImage, type Image } from '../data/image.ts';
import { pushImage } from '../data/push.ts';
import type { Asset } from '../programs/bare-node.ts';
import { startBareNode } from '../servers/bare-node.ts';
import { startCaches } from '../servers/caches.ts';
import { startDockerRegistry } from '../servers/docker-registry.ts';
import { openPlace, type Server } from '../servers/server.ts';

/** What today's clients send when they ask for a manifest. */
export const ACCEPT: HeaderList = [['Accept', manifestTypes.join(', ')]];

export interface Wanted {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly headers?: HeaderList;
  /** How bare Node sends it. */
  readonly way: Asset['way'];
}

/**
 * Starts a docker-registry with the image, the caches in front of it, and bare Node with a copy of manifix's answers. All
 * caches are warm: every answer was fetched twice and has the right bytes.
 */
export async function startHitServers(
  { stage, progress }: Context,
  want: (image: Image) => readonly Wanted[],
): Promise<readonly Server[]> {
  progress('starting the servers');
  const place = await openPlace(stage);
  const image = createImage();
  const origin = await startDockerRegistry(place);
  await pushImage(origin.url, image);
  const wanted = want(image);
  const caches = await startCaches(place, origin.url);
  const answers = [];
  for (const { path, headers, bytes, way } of wanted) {
    for (const server of [origin, ...caches]) {
      for (let time = 0; time < 2; time += 1) {
        const answer = await downloadBytes(server.url + path, headers);
        if (!answer.bytes.equals(bytes)) throw new Error(`${server.name} gave wrong bytes for ${path}`);
        if (server.name === 'manifix' && time === 1) answers.push({ path, headers: answer.headers, bytes, way });
      }
    }
  }
  return [...caches, origin, await startBareNode(place, answers)];
}

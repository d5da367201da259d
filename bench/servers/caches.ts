import { startDockerRegistry } from './docker-registry.ts';
import { startManifix } from './manifix.ts';
import { startNginx } from './nginx.ts';
import type { Place, Server } from './server.ts';

/** Starts every cache that is compared, empty, in front of the same upstream. */
export async function startCaches(place: Place, upstream: string): Promise<readonly Server[]> {
  return [
    await startManifix(place, upstream),
    await startNginx(place, upstream),
    await startDockerRegistry(place, upstream),
  ];
}

import { exchange } from '../../test/support/http.ts';
import { createBlobGenerator, type GeneratedBlob } from '../data/blob.ts';
import { REPOSITORY } from '../data/sizes.ts';
import { type Place, startNode } from './server.ts';

const PROGRAM = new URL('../programs/upstream.ts', import.meta.url);

/** A blob that the upstream has, and the path that every server has it under. */
export interface UpstreamBlob {
  readonly blob: GeneratedBlob;
  readonly digest: string;
  readonly path: string;
}

/** A registry in a process of its own that makes blobs as they are needed and counts who asks for them. */
export interface Upstream {
  readonly url: string;
  readonly pid: number;
  /** Adds a blob that no cache has seen; the same seed and size give the same one. */
  add(seed: number, size: number): Promise<UpstreamBlob>;
  /** How many GET requests for the blob have arrived. */
  gets(digest: string): Promise<number>;
}

/** Starts it. All its answers share a link of `bytesPerSecond`; without a number they leave at the speed of memory. */
export async function startUpstream(place: Place, bytesPerSecond = 0): Promise<Upstream> {
  const { url, pid } = await startNode(place, PROGRAM, ['--bytes-per-second', String(bytesPerSecond)]);
  const generate = createBlobGenerator();
  const ask = async (method: string, target: string) => {
    const { body } = await exchange(url, { method, target });
    return JSON.parse(body.toString('utf8'));
  };
  return {
    url,
    pid,
    async add(seed, size) {
      const { digest } = await ask('POST', `/bench/blobs?seed=${seed}&size=${size}`);
      return { blob: generate(seed, size), digest, path: `/v2/${REPOSITORY}/blobs/${digest}` };
    },
    async gets(digest) {
      const counts = await ask('GET', '/bench/gets');
      return counts[digest] ?? 0;
    },
  };
}

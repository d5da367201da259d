import { join } from 'node:path';
import { type Place, type Server, startNode } from './server.ts';

// What `npm start` runs.
const MAIN = new URL('../../bin/manifix.js', import.meta.url);

interface ManifixOptions {
  readonly cacheDirectory?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts manifix in front of `upstream`, with a log of warnings only, as the other servers log none of their requests. */
export async function startManifix(place: Place, upstream: string, options: ManifixOptions = {}) {
  const cacheDirectory = options.cacheDirectory ?? join(place.directory, 'manifix');
  const args = ['serve', '--upstream', upstream, '--listen', '127.0.0.1:0', '--admin', 'off'];
  const env = { MANIFIX_LOG_LEVEL: 'warn', ...options.env };
  const { url, pid, process } = await startNode(place, MAIN, [...args, '--cache-dir', cacheDirectory], env);
  return { name: 'manifix', url, pid, process } as const satisfies Server & { readonly process: unknown };
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HeaderList } from '../../src/domain/headers.ts';
import { withoutHeaders } from '../../src/domain/headers.ts';
import type { Asset } from '../programs/bare-node.ts';
import { type Place, type Server, startNode } from './server.ts';

const PROGRAM = new URL('../programs/bare-node.ts', import.meta.url);

/** What the ceiling serves at a path: the answer of another server. */
export interface Copy {
  readonly path: string;
  readonly headers: HeaderList;
  readonly bytes: Uint8Array;
  readonly way: Asset['way'];
}

/** Starts the least server that gives these answers. It gets as many threads for files as manifix takes. */
export async function startBareNode(place: Place, copies: readonly Copy[]): Promise<Server> {
  const assets: Record<string, Asset> = {};
  for (const [index, { path, headers, bytes, way }] of copies.entries()) {
    const file = join(place.directory, `asset-${index}`);
    await writeFile(file, bytes);
    // Those that node:http adds by itself.
    assets[path] = { headers: withoutHeaders(headers, 'Date', 'Connection', 'Keep-Alive').flat(), file, way };
  }
  const list = join(place.directory, 'assets.json');
  await writeFile(list, JSON.stringify(assets));
  const { url, pid } = await startNode(place, PROGRAM, [list], { UV_THREADPOOL_SIZE: '16' });
  return { name: 'bare Node', url, pid };
}

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore, type Store, type StoreOptions } from '../../../src/store/open-store.ts';
import { temporaryDirectory } from '../../support/temporary.ts';

export interface TestStore extends AsyncDisposable {
  readonly store: Store;
  readonly directory: string;
  readonly warnings: readonly string[];
  /** Closes the store and opens its directory anew. */
  reopen(): Promise<Store>;
}

/** A store of a test's own, closed and removed at its end. */
export async function openTestStore(options: Partial<StoreOptions> = {}): Promise<TestStore> {
  const home = options.directory === undefined ? await temporaryDirectory() : undefined;
  const directory = options.directory ?? home?.path ?? '';
  const warnings: string[] = [];
  const open = () =>
    openStore({ maxSize: 1e12, warn: (message) => void warnings.push(message), ...options, directory });
  let store = await open();
  return {
    get store() {
      return store;
    },
    directory,
    warnings,
    async reopen() {
      await store.close();
      store = await open();
      return store;
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      await home?.remove();
    },
  };
}

/** Names of the part files in a cache directory. */
export function partNames(directory: string): Promise<string[]> {
  return readdir(join(directory, 'v1', 'parts'));
}

/** Paths of all files of blobs in a cache directory. */
export async function blobPaths(directory: string): Promise<string[]> {
  const root = join(directory, 'v1', 'blobs');
  if (!existsSync(root)) return [];
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

/** Where a blob of that digest belongs. */
export function blobPath(directory: string, digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return join(directory, 'v1', 'blobs', algorithm, hex.slice(0, 2), hex);
}

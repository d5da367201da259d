import { copyFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Digest } from '../domain/digest.ts';
import { createLayout } from './layout.ts';
import { openReadOnly } from './read-only.ts';

/**
 * Copies the facts of a cache directory, and of its content no more than these manifests, into a directory of their own, whether
 * a manifix runs on it or not.
 */
export async function copyFacts(directory: string, target: string, manifests: readonly Digest[]): Promise<void> {
  const from = createLayout(directory);
  const to = createLayout(target);
  await mkdir(dirname(to.facts), { recursive: true });
  const database = openReadOnly(from.facts);
  try {
    database.prepare('VACUUM INTO ?').run(to.facts);
  } finally {
    database.close();
  }
  for (const digest of manifests) {
    const path = to.content('manifest', digest);
    await mkdir(dirname(path), { recursive: true });
    // What is gone is asked of the registry, as the manifix on that directory would.
    await copyFile(from.content('manifest', digest), path).catch(() => undefined);
  }
}

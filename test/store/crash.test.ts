import { cp, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { type Files, nodeFiles } from '../../src/store/files.ts';
import { openStore, type Store } from '../../src/store/open-store.ts';
import { manifestOf } from '../contract/manifest-store.contract.ts';
import { eventually, within } from '../support/deadline.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { drain, sample } from './support/bytes.ts';
import { createReadySource } from './support/manual-source.ts';
import { blobPaths, partNames } from './support/test-store.ts';

const contents = [sample(100_000, 'first'), sample(0), sample(150_000, 'second')];
const manifest = manifestOf('{"schemaVersion":2}');

/**
 * Runs until one call; from then on no call has an effect or an answer, as if the process had been killed. `died` settles when
 * those are over, too, that had begun before.
 */
function mortalFiles(dyingCall: number): { readonly files: Files; readonly died: Promise<true> } {
  const { promise: killed, resolve: kill } = Promise.withResolvers<void>();
  const silence = new Promise<never>(() => undefined);
  const begun: unknown[] = [];
  let calls = 0;
  const files = new Proxy(nodeFiles, {
    get: (target, name: keyof Files) => {
      const method = target[name] as (...parameters: unknown[]) => unknown;
      if (name === 'status') return method;
      return (...parameters: unknown[]) => {
        calls += 1;
        if (calls >= dyingCall) {
          kill();
          return silence;
        }
        const outcome = method(...parameters);
        begun.push(outcome);
        return outcome;
      };
    },
  });
  return { files, died: killed.then(() => Promise.allSettled(begun)).then(() => true) };
}

async function scenario(store: Store): Promise<false> {
  for (const { bytes, digest } of contents) {
    await store.blobs.startFill(digest, createReadySource(bytes)).finished;
    const blob = await store.blobs.open(digest);
    if (blob !== undefined) await drain(blob.reader());
    blob?.close();
  }
  await store.manifests.put(manifest);
  await store.close();
  return false;
}

async function expectSoundDirectory(directory: string): Promise<void> {
  for (const path of await blobPaths(directory))
    expect(digestOf(await readFile(path))).toBe(`sha256:${basename(path)}`);
  const store = await openStore({ directory, maxSize: 200_000, warn: () => undefined });
  for (const { bytes, digest } of contents) {
    const fill = store.blobs.startFill(digest, createReadySource(bytes));
    expect((await within('a read', drain(fill.reader()))).equals(bytes)).toBe(true);
    expect(await fill.finished).toBe(true);
  }
  expect(await store.manifests.put(manifest)).toBe(true);
  await eventually('no part files', async () => (await partNames(directory)).length === 0 || undefined);
  await eventually('room made', async () => store.usage().bytes <= 200_000 || undefined);
  expect(store.health()).toBe('ok');
  expect(store.counters()).toMatchObject({ damaged: 0 });
  await store.close();
}

describe('a process that dies at any file-system call', () => {
  it('leaves the old state or the new one, and no trace that stays', async () => {
    let hasDied = true;
    let runs = 0;
    for (let dyingCall = 6; hasDied; dyingCall += 1) {
      await using home = await temporaryDirectory();
      await using copy = await temporaryDirectory();
      const { files, died } = mortalFiles(dyingCall);
      const life = openStore({ directory: home.path, maxSize: 200_000, files, warn: () => undefined }).then(scenario);
      hasDied = await within(`the end at call ${dyingCall}`, Promise.race([died, life]));
      // The dead one still holds its locks in this process, so its directory is looked at as a copy.
      await cp(home.path, copy.path, { recursive: true });
      await expectSoundDirectory(copy.path);
      runs += 1;
    }
    expect(runs).toBeGreaterThan(30);
  }, 600_000);
});

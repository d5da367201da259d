import { copyFileSync, existsSync, mkdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { MediaType } from '../../src/domain/media-type.ts';
import type { RepositoryName } from '../../src/domain/reference.ts';
import { openStore, type Store } from '../../src/store/open-store.ts';
import type { DerivedManifest } from '../../src/store/types.ts';
import { manifestOf } from '../contract/manifest-store.contract.ts';
import { drain, type Sample, sample } from '../store/support/bytes.ts';
import { createReadySource } from '../store/support/manual-source.ts';
import { partNames } from '../store/support/test-store.ts';
import { eventually, within } from '../support/deadline.ts';
import { expectSoundFiles } from '../support/faults/invariants.ts';
import { createPowerLossFiles } from '../support/faults/power-loss-files.ts';
import { forEachSeed, type Random, scale } from '../support/faults/scale.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const MAX_SIZE = 1_500_000;
const repository = 'app' as RepositoryName;

interface Content {
  readonly blobs: readonly Sample[];
  readonly manifest: ReturnType<typeof manifestOf>;
  readonly derived: DerivedManifest;
}

function content(seed: number): Content {
  const derived = Buffer.from(`{"derived":${seed}}`);
  const manifest = manifestOf(`{"schemaVersion":2,"seed":${seed}}`);
  return {
    blobs: [
      sample(700_000, `${seed} large`),
      sample(0),
      sample(70_000, `${seed} small`),
      sample(900_000, `${seed} last`),
    ],
    manifest,
    derived: {
      digest: digestOf(derived),
      original: manifest.digest,
      bytes: derived,
      mediaType: 'application/vnd.oci.image.index.v1+json' as MediaType,
      kind: 'media-type-added',
    },
  };
}

/** Fills, reads, a manifest, a derived one, and an eviction. `onDerived` is called when that one has to be durable. */
async function live(store: Store, { blobs, manifest, derived }: Content, onDerived: () => void): Promise<void> {
  for (const { bytes, digest } of blobs) {
    await store.blobs.startFill(digest, createReadySource(bytes)).finished;
    const blob = await store.blobs.open(digest);
    if (blob !== undefined) expect(digestOf(await drain(blob.reader()))).toBe(digest);
    blob?.close();
    await store.manifests.put(manifest);
    store.facts.putDerived('hub', repository, derived);
    onDerived();
  }
}

/** The database as it is on disk after a loss of power: its log ends anywhere behind what was synced. */
function copyFacts(from: string, to: string, syncedLog: number, random: Random): void {
  const [source, target] = [join(from, 'v1', 'facts.db'), join(to, 'v1', 'facts.db')];
  mkdirSync(join(to, 'v1'), { recursive: true });
  if (!existsSync(source)) return;
  copyFileSync(source, target);
  if (!existsSync(`${source}-wal`)) return;
  copyFileSync(`${source}-wal`, `${target}-wal`);
  const { size } = statSync(`${target}-wal`);
  truncateSync(`${target}-wal`, syncedLog + random.below(size - syncedLog + 1));
}

async function expectSound(directory: string, expected: Content, hasDerived: boolean): Promise<void> {
  await expectSoundFiles(directory);
  const store = await openStore({ directory, maxSize: 1e9, warn: () => undefined });
  try {
    for (const { bytes, digest } of expected.blobs) {
      const blob = await store.blobs.open(digest);
      if (blob !== undefined) expect((await drain(blob.reader())).equals(bytes)).toBe(true);
      blob?.close();
      const fill = store.blobs.startFill(digest, createReadySource(bytes));
      expect((await within('a normal pull', drain(fill.reader()))).equals(bytes)).toBe(true);
      expect(await fill.finished).toBe(true);
    }
    if (hasDerived) {
      const derived = store.facts.derived('hub', repository, expected.derived.digest);
      expect(Buffer.from(derived?.bytes ?? [])).toEqual(expected.derived.bytes);
    }
    expect(await store.manifests.put(expected.manifest)).toBe(true);
    await eventually('no part files', async () => (await partNames(directory)).length === 0 || undefined);
    expect(store.counters().damaged, 'damaged files').toBe(0);
    expect(store.health()).toBe('ok');
  } finally {
    await store.close();
  }
}

/** Calls of the store up to the end of `live`, roughly. */
const CALLS = 60;
/** The directories are made and tried out. */
const FIRST_CALL = 6;

describe('F56: a loss of power', () => {
  it('at any call leaves blobs that are right or absent, and every derived manifest that was announced', async () => {
    await forEachSeed(scale(12, 1_000), async (random, seed) => {
      await using home = await temporaryDirectory();
      await using disk = await temporaryDirectory();
      const dying = FIRST_CALL + random.below(CALLS);
      const expected = content(seed);
      let syncedLog = 0;
      let isDerived = false;
      let hasDerived = false;
      let isDark = false;
      const loseThePower = () => {
        isDark = true;
        hasDerived = isDerived;
        copyFacts(home.path, disk.path, syncedLog, random);
        model.survive(disk.path, random);
      };
      const model = createPowerLossFiles(home.path, (number) => {
        if (number === dying) loseThePower();
        if (isDark) throw Object.assign(new Error('the power is gone'), { code: 'EIO' });
      });
      const options = { directory: home.path, maxSize: MAX_SIZE, files: model.files, warn: () => undefined };
      const store = await openStore(options);
      await live(store, expected, () => {
        isDerived = true;
        syncedLog = statSync(join(home.path, 'v1', 'facts.db-wal')).size;
      });
      if (!isDark) loseThePower();
      await store.close();
      await expectSound(disk.path, expected, hasDerived);
    });
  });
});

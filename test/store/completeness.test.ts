import { describe, expect, it } from 'vitest';
import type { RepositoryName, Tag } from '../../src/domain/reference.ts';
import { completenessOf } from '../../src/store/completeness.ts';
import { type Holdings, openHoldings } from '../../src/store/holdings.ts';
import { manifestOf } from '../contract/manifest-store.contract.ts';
import { type Sample, sample } from './support/bytes.ts';
import { storeSample } from './support/damage.ts';
import { openTestStore, type TestStore } from './support/test-store.ts';

// Names that a parser would have branded.
const app = 'team/app' as RepositoryName;
const latest = 'latest' as Tag;

const CONFIG = sample(10, 'config');
const LAYER = sample(20, 'layer');
const IMAGE = manifestOf(JSON.stringify({ schemaVersion: 2, config: descriptor(CONFIG), layers: [descriptor(LAYER)] }));
const OTHER = sample(30, 'other');
const INDEX = manifestOf(
  JSON.stringify({
    schemaVersion: 2,
    manifests: [
      { digest: IMAGE.digest, size: IMAGE.bytes.length, platform: { os: 'linux', architecture: 'amd64' } },
      { ...descriptor(OTHER), platform: { os: 'linux', architecture: 'arm64' } },
    ],
  }),
);

function descriptor({ digest, bytes }: Sample) {
  return { mediaType: 'application/octet-stream', digest, size: bytes.length };
}

async function pull({ store }: TestStore, blobs: readonly Sample[]): Promise<void> {
  for (const manifest of [INDEX, IMAGE]) {
    await store.manifests.put(manifest);
    store.facts.putLink('hub', app, 'manifest', manifest.digest, 'open');
  }
  for (const blob of blobs) {
    await storeSample(store, blob);
    store.facts.putLink('hub', app, 'blob', blob.digest, 'open');
  }
}

function look<T>({ directory }: TestStore, action: (holdings: Holdings) => T): T {
  const holdings = openHoldings(directory);
  try {
    return action(holdings);
  } finally {
    holdings.close();
  }
}

describe('what the cache could serve without the registry', () => {
  it('is complete with every part of each image that was pulled', async () => {
    await using opened = await openTestStore();
    await pull(opened, [CONFIG, LAYER]);
    expect(look(opened, (holdings) => completenessOf(holdings, 'hub', app, INDEX.digest))).toEqual({
      digest: INDEX.digest,
      complete: true,
      missing: [],
      images: [
        { platform: 'linux/amd64', digest: IMAGE.digest, state: 'complete', parts: 3, missing: [] },
        { platform: 'linux/arm64', digest: OTHER.digest, state: 'never-pulled', parts: 1, missing: [] },
      ],
    });
  });

  it('lacks what is not stored, and what was never seen in this repository', async () => {
    await using opened = await openTestStore();
    await pull(opened, [CONFIG]);
    await storeSample(opened.store, LAYER);
    const { complete, images } = look(opened, (holdings) => completenessOf(holdings, 'hub', app, INDEX.digest));
    expect(complete).toBe(false);
    expect(images[0]).toMatchObject({
      state: 'incomplete',
      missing: [{ part: 'layer 1', digest: LAYER.digest, why: 'not seen in this repository' }],
    });
    await opened.store.maintenance.purge({ by: 'digest', digest: CONFIG.digest }, false);
    expect(look(opened, (holdings) => completenessOf(holdings, 'hub', app, IMAGE.digest))).toMatchObject({
      complete: false,
      images: [{ platform: null, missing: [{ part: 'config', why: 'not in the cache' }, { part: 'layer 1' }] }],
    });
  });

  it('is nothing without the manifest', async () => {
    await using opened = await openTestStore();
    expect(look(opened, (holdings) => completenessOf(holdings, 'hub', app, INDEX.digest))).toEqual({
      digest: INDEX.digest,
      complete: false,
      missing: [{ part: 'manifest', digest: INDEX.digest, why: 'not in the cache' }],
      images: [],
    });
  });
});

describe('when a tag was pulled', () => {
  it('is known to the hour, and forgotten when the name means another registry', async () => {
    await using opened = await openTestStore();
    const { facts } = opened.store;
    const pulled = () => look(opened, (holdings) => holdings.pulledSince(5_000_000));
    facts.bindUpstream('hub', 'https://a.example');
    facts.putPull('hub', app, 'old' as Tag, 4_000_000);
    facts.putPull('hub', app, latest, 5_000_000);
    facts.putPull('hub', app, latest, 5_000_001);
    expect(pulled()).toEqual([{ upstream: 'hub', repository: app, tag: latest, pulledAt: 5_000_000 }]);
    facts.putPull('hub', app, latest, 8_600_000);
    expect(pulled()).toMatchObject([{ pulledAt: 8_600_000 }]);
    facts.bindUpstream('hub', 'https://b.example');
    expect(pulled()).toEqual([]);
    facts.putPull('hub', app, latest, 8_600_001);
    expect(pulled()).toHaveLength(1);
  });
});

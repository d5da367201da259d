import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/open-store.ts';
import { SCHEMA_STEPS } from '../../src/store/schema.ts';
import { readStatistics } from '../../src/store/statistics.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { damage, manifestPath } from './support/damage.ts';
import { alpine, openStockedStore, SIZE } from './support/stocked-store.ts';
import { blobPath } from './support/test-store.ts';

const verify = ({ maintenance }: Store) => maintenance.verify(new AbortController().signal);

const sound = {
  blobs: 3,
  manifests: 2,
  derivedManifests: 1,
  bytes: 3 * SIZE + 12 + 13,
  damaged: 0,
  unreadable: 0,
  missing: 0,
  findings: [],
};

describe('verifying', () => {
  it('finds nothing in a sound cache', async () => {
    await using stocked = await openStockedStore();
    expect(await verify(stocked.store)).toEqual(sound);
  });

  it('takes damaged content out of the cache, and tells what it was', async () => {
    await using stocked = await openStockedStore();
    const { store, directory, blobs, manifests } = stocked;
    await damage(blobPath(directory, blobs.own.digest), SIZE - 1);
    await writeFile(blobPath(directory, blobs.other.digest), 'short');
    await damage(manifestPath(directory, manifests.alpine.digest));
    const report = await verify(store);
    expect(report).toMatchObject({ blobs: 3, manifests: 2, bytes: SIZE + 13, damaged: 3 });
    const reasons = Object.fromEntries(report.findings.map(({ digest, kind, reason }) => [digest, [kind, reason]]));
    expect(reasons).toEqual({
      [blobs.own.digest]: ['blob', expect.stringMatching(/^its digest is sha256:/)],
      [blobs.other.digest]: ['blob', `it has 5 bytes instead of ${SIZE}`],
      [manifests.alpine.digest]: ['manifest', expect.stringMatching(/^its digest is sha256:/)],
    });
    expect(await verify(store)).toMatchObject({ blobs: 1, manifests: 1, damaged: 0 });
    expect(await stocked.stored()).toEqual([false, true, false]);
  });

  it('checks files that nobody listed, and takes those that are gone off the list', async () => {
    await using stocked = await openStockedStore();
    const { store, directory, blobs } = stocked;
    const stray = blobPath(directory, blobs.own.digest).replace(/.{4}$/, '0000');
    await writeFile(stray, 'not what its name says');
    await rm(blobPath(directory, blobs.other.digest));
    expect(await verify(store)).toMatchObject({ blobs: 4, bytes: 2 * SIZE + 25, damaged: 1, missing: 1 });
    expect(await verify(store)).toMatchObject({ blobs: 2, damaged: 0, missing: 0 });
  });

  it('forgets a derived manifest whose bytes are not those of its digest', async () => {
    await using stocked = await openStockedStore();
    const { directory, derived } = stocked;
    await stocked.store.close();
    const database = new DatabaseSync(join(directory, 'v1', 'facts.db'));
    database.exec(`UPDATE derived SET bytes = x'7b7d'`);
    database.close();
    const store = await stocked.reopen();
    const report = await verify(store);
    expect(report).toMatchObject({ derivedManifests: 1, damaged: 1 });
    expect(report.findings).toMatchObject([{ kind: 'derived manifest', digest: derived.digest }]);
    expect(store.facts.derived('hub', alpine, derived.digest)).toBeUndefined();
  });

  it('ends when nobody waits for it, or with the store', async () => {
    await using stocked = await openStockedStore();
    const gone = AbortSignal.abort(new Error('nobody waits'));
    await expect(stocked.store.maintenance.verify(gone)).rejects.toThrow('nobody waits');
    const verifying = verify(stocked.store);
    await Promise.all([expect(verifying).rejects.toThrow('manifix is shutting down'), stocked.store.close()]);
  });
});

describe('the statistics', () => {
  it('count what the cache holds, also while it is in use', async () => {
    await using stocked = await openStockedStore();
    const { directory, derived, blobs } = stocked;
    await damage(blobPath(directory, blobs.own.digest));
    await verify(stocked.store);
    const expected = {
      directory,
      blobs: { count: 2, bytes: 2 * SIZE },
      manifests: { count: 2, bytes: 25 },
      derivedManifests: { count: 1, bytes: derived.bytes.length },
      tags: 3,
      repositories: 2,
      oldestUse: expect.stringMatching(/^20\d\d-/),
      scrubbed: null,
      quarantine: { count: 1, bytes: SIZE },
      unfinished: { count: 0, bytes: 0 },
    };
    expect(readStatistics(directory)).toMatchObject(expected);
    await stocked.store.close();
    expect(readStatistics(directory)).toMatchObject(expected);
  });

  it('say why there are none', async () => {
    await using empty = await temporaryDirectory();
    expect(() => readStatistics(empty.path)).toThrow(`There is no cache in ${empty.path}.`);
    await using stocked = await openStockedStore();
    await stocked.store.close();
    const facts = join(stocked.directory, 'v1', 'facts.db');
    const database = new DatabaseSync(facts);
    database.exec('PRAGMA user_version = 99');
    database.close();
    expect(() => readStatistics(stocked.directory)).toThrow(
      `The facts database ${facts} cannot be read: it has format 99, and this manifix reads format ${SCHEMA_STEPS.length}.`,
    );
    await writeFile(facts, 'no database at all');
    expect(() => readStatistics(stocked.directory)).toThrow(/^The facts database .+ cannot be read: .+\.$/);
  });
});

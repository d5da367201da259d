import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import { SCHEMA_STEPS } from '../../src/store/schema.ts';
import { partNames } from '../store/support/test-store.ts';
import { barrier, eventually } from '../support/deadline.ts';
import { withRig } from '../support/faults/rig.ts';
import { forEachSeed, scale } from '../support/faults/scale.ts';
import { sampleImage } from '../support/images.ts';
import { head, respond, send, waitFor } from '../support/script-steps.ts';

const SIZE = 300_000;
const GIB = 1024 ** 3;
const DAY = 86_400_000;

describe('F57: part files that an earlier process left', () => {
  it('do not hold up the start, and go away beside it', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      rig.serve(blob);
      await rig.pull(blob);
      await rig.stored(blob);
      await rig.cache.stop();
      const parts = join(rig.directory, 'v1', 'parts');
      const count = scale(200, 1_000);
      for (let index = 0; index < count; index += 1) {
        const path = join(parts, `${'0'.repeat(64)}.earlier${index}.part`);
        await writeFile(path, '');
        await truncate(path, Math.floor((18 * GIB) / count));
      }
      await rig.restart();
      expect((await rig.pull(blob)).header('Cache-Status')).toBe('manifix; hit');
      await eventually('no part files', async () => (await partNames(rig.directory)).length === 0 || undefined);
      expect(rig.cache.store.usage().bytes).toBe(SIZE + 1000);
    });
  });
});

describe('F58: a clock that is set', () => {
  it.each([
    ['a day forwards', DAY],
    ['a day backwards', -DAY],
    ['an hour backwards', -DAY / 24],
  ])('%s does not disturb a fill, nor what was wrong a minute ago, nor the order of use', async (_how, jump) => {
    await withRig({}, async (rig) => {
      const [filling, wrong] = [rig.blob(SIZE, 'filling'), rig.blob(SIZE, 'wrong')];
      const [older, newer] = [rig.blob(SIZE, 'older'), rig.blob(SIZE, 'newer')];
      const gate = barrier();
      const [start, rest] = [filling.bytes.subarray(0, SIZE / 2), filling.bytes.subarray(SIZE / 2)];
      rig.upstream.on('GET', filling.pattern, [
        head(200, [`Content-Length: ${SIZE}`]),
        send(start),
        waitFor(gate),
        send(rest),
      ]);
      rig.upstream.once('GET', wrong.pattern, [respond(200, [], Buffer.alloc(SIZE))]);
      for (const blob of [wrong, older, newer]) rig.serve(blob);
      const client = await rig.open(filling);
      expect((await rig.pull(wrong)).end).toBe('cut');
      expect((await rig.pull(older)).end).toBe('whole');
      await rig.stored(older);

      rig.clock.jump(jump);
      gate.release();
      expect([await client.ended, client.digest()]).toEqual(['whole', filling.digest]);
      expect((await rig.pull(newer)).end).toBe('whole');
      await rig.stored(filling);
      await rig.stored(newer);
      rig.clock.advance(60_001);
      expect((await rig.pull(wrong)).end).toBe('whole');
      await rig.stored(wrong);

      rig.cache.store.setMaxSize(2 * SIZE);
      await eventually('room was made', async () => rig.cache.store.usage().bytes <= 2 * SIZE || undefined);
      expect((await rig.pull(newer)).header('Cache-Status')).toBe('manifix; hit');
      rig.cache.store.setMaxSize(1e12);
      expect((await rig.pull(older)).header('Cache-Status')).toContain('fwd=miss');
    });
  });

  it.each([
    ['forwards', DAY],
    ['backwards', -DAY],
  ])('a day %s makes no tag fresh that is older than its time', async (_how, jump) => {
    await withRig({ tagTtl: 60_000 }, async (rig) => {
      const [one, other] = [sampleImage('oci-amd64'), sampleImage('docker-amd64')];
      const target = '/v2/app/manifests/latest';
      const fields = (image: typeof one) => [
        ...[['Content-Type', image.mediaType] as const, ['Docker-Content-Digest', image.digest] as const],
      ];
      rig.upstream.once('GET', /manifests/, [respond(200, fields(one), one.bytes)]);
      rig.upstream.on('HEAD', /manifests/, [respond(200, fields(other), other.bytes)]);
      rig.upstream.on('GET', /manifests/, [respond(200, fields(other), other.bytes)]);
      expect((await rig.pull({ target })).digest()).toBe(one.digest);
      rig.clock.jump(jump);
      rig.clock.advance(60_001);
      expect((await rig.pull({ target })).digest()).toBe(other.digest);
    });
  });
});

describe('F61: an index that is not what it was', () => {
  const facts = (directory: string) => join(directory, 'v1', 'facts.db');

  it('(cut at any length) is made anew, and no blob is lost', async () => {
    await forEachSeed(scale(3, 64), async (random) => {
      await withRig({}, async (rig) => {
        const blob = rig.blob(SIZE);
        rig.serve(blob);
        await rig.pull(blob);
        await rig.stored(blob);
        await rig.cache.stop();
        const bytes = await readFile(facts(rig.directory));
        await truncate(facts(rig.directory), random.below(bytes.length / 64) * 64 + random.below(64));
        await rig.restart();
        expect((await rig.pull(blob)).header('Cache-Status')).toBe('manifix; hit');
        expect(rig.gets(blob)).toBe(1);
      });
    });
  });

  it('(garbage anywhere in it) loses no blob, or only what was in it', async () => {
    await forEachSeed(scale(3, 64), async (random) => {
      await withRig({}, async (rig) => {
        const blob = rig.blob(SIZE);
        rig.serve(blob);
        await rig.pull(blob);
        await rig.stored(blob);
        await rig.cache.stop();
        const bytes = await readFile(facts(rig.directory));
        const at = random.below(bytes.length);
        bytes.fill(0xa5, at, Math.min(bytes.length, at + 1 + random.below(4096)));
        await writeFile(facts(rig.directory), bytes);
        await rig.restart();
        const { status, end } = await rig.pull(blob);
        expect([status, end]).toEqual([200, 'whole']);
      });
    });
  });

  it('(of a newer version) is refused with a sentence, and left as it is', async () => {
    await withRig({}, async (rig) => {
      await rig.cache.stop();
      const database = new DatabaseSync(facts(rig.directory));
      database.exec('PRAGMA user_version = 1000');
      database.close();
      const before = await readFile(facts(rig.directory));
      const start = openStore({ directory: rig.directory, maxSize: 1e9, warn: () => undefined });
      await expect(start).rejects.toThrow(/newer manifix/);
      expect((await readFile(facts(rig.directory))).equals(before)).toBe(true);
      await rm(facts(rig.directory));
      await rig.restart();
    });
  });

  it('(of the first version) is taken over', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      rig.serve(blob);
      await rig.pull(blob);
      await rig.stored(blob);
      await rig.cache.stop();
      await rm(facts(rig.directory));
      const database = new DatabaseSync(facts(rig.directory));
      database.exec(`${SCHEMA_STEPS[0]}; PRAGMA user_version = 1`);
      database.close();
      await rig.restart();
      expect((await rig.pull(blob)).header('Cache-Status')).toBe('manifix; hit');
      expect(rig.cache.store.health()).toBe('ok');
    });
  });
});

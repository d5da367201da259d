import { describe, expect, it } from 'vitest';
import { type Files, nodeFiles } from '../../src/store/files.ts';
import { MIB, readyWork } from '../store/support/bytes.ts';
import { barrier, eventually } from '../support/deadline.ts';
import { DISK_DEADLINE, type FaultRig, type RigBlob, withRig } from '../support/faults/rig.ts';
import { forEachSeed, scale } from '../support/faults/scale.ts';
import { head, respond, send, waitFor } from '../support/script-steps.ts';

async function warm(rig: FaultRig, blob: RigBlob): Promise<void> {
  rig.serve(blob);
  await rig.pull(blob);
  await rig.stored(blob);
}

/** Takes all room away for a moment. */
async function evict(rig: FaultRig): Promise<void> {
  const { store } = rig.cache;
  store.setMaxSize(0);
  await readyWork();
  store.setMaxSize(1e12);
}

describe('F36: a blob that is evicted while it is read', () => {
  it('is read to its end by all who began', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(scale(24, 32) * MIB);
      await warm(rig, blob);
      const readers = await Promise.all(Array.from({ length: scale(10, 50) }, () => rig.open(blob)));
      for (const reader of readers) reader.pause();
      const purged = await rig.cache.store.maintenance.purge({ by: 'digest', digest: blob.digest }, false);
      expect(purged).toBeDefined();
      for (const reader of readers) reader.resume();
      for (const { ended, digest } of readers) expect([await ended, digest()]).toEqual(['whole', blob.digest]);
      expect((await rig.pull(blob)).header('Cache-Status')).toContain('fwd=miss');
    });
  });
});

describe('F37: a blob that is evicted in the moment it is asked for', () => {
  it.each(['openForReading', 'status', 'read'] as const)('before or behind %s is served all the same', async (call) => {
    let onCall = () => {};
    const files: Files = {
      ...nodeFiles,
      [call]: (...parameters: unknown[]) => {
        onCall();
        return (nodeFiles[call] as (...all: unknown[]) => unknown)(...parameters);
      },
    };
    await withRig({ files }, async (rig) => {
      const blob = rig.blob(300_000);
      await warm(rig, blob);
      // A file that was open would not be opened.
      await rig.restart();
      const evicted = Promise.withResolvers<void>();
      onCall = () => {
        onCall = () => {};
        void evict(rig).then(evicted.resolve);
      };
      const { status, end, digest } = await rig.pull(blob);
      expect([status, end, digest()]).toEqual([200, 'whole', blob.digest]);
      await evicted.promise;
    });
  });

  it('at any moment is a miss or a hit, and right', async () => {
    await forEachSeed(scale(1, 20), async (random) => {
      await withRig({}, async (rig) => {
        const blobs = Array.from({ length: 8 }, (_, index) => rig.blob(100_000, `raced ${index}`));
        for (const blob of blobs) await warm(rig, blob);
        for (let round = 0; round < scale(20, 100); round += 1) {
          const pulls = Array.from({ length: 5 }, async () => {
            const blob = blobs[random.below(blobs.length)] as RigBlob;
            const evicted = random.oneIn(2) ? evict(rig) : undefined;
            const { status, end, digest } = await rig.pull(blob);
            expect([status, end, digest()]).toEqual([200, 'whole', blob.digest]);
            await evicted;
          });
          await Promise.all(pulls);
        }
      });
    });
  });
});

describe('F60: a cache that has to make much room while it serves', () => {
  it('keeps what is being filled and read, counts each blob once, and goes over its size by no more than that', async () => {
    const COUNT = scale(300, 20_000);
    const BYTES = 2_000;
    await withRig({}, async (rig) => {
      const { store } = rig.cache;
      const sources = Array.from({ length: COUNT }, (_, index) => rig.blob(BYTES, `many ${index}`));
      for (const blob of sources) rig.serve(blob);
      for (let at = 0; at < COUNT; at += 50)
        await Promise.all(sources.slice(at, at + 50).map((blob) => rig.pull(blob)));
      await eventually('all are stored', async () => store.usage().blobs === COUNT + 1 || undefined, DISK_DEADLINE);
      const [shared] = sources as [RigBlob];
      const elsewhere = { ...shared, target: shared.target.replace('/app/', '/other/') };
      rig.upstream.on('HEAD', /\/other\//, [respond(200, [], shared.bytes)]);
      expect((await rig.pull(elsewhere)).header('Cache-Status')).toBe('manifix; hit');
      expect(store.usage()).toEqual({ bytes: COUNT * BYTES + 1000, blobs: COUNT + 1 });

      const filling = rig.blob(MIB, 'filling');
      const gate = barrier();
      const [start, rest] = [filling.bytes.subarray(0, MIB / 2), filling.bytes.subarray(MIB / 2)];
      rig.upstream.on('GET', filling.pattern, [
        head(200, [`Content-Length: ${MIB}`]),
        send(start),
        waitFor(gate),
        send(rest),
      ]);
      const client = await rig.open(filling);
      await client.received(1);
      const limit = (COUNT * BYTES) / 2 + MIB;
      store.setMaxSize(limit);
      const hits = Array.from({ length: 20 }, (_, index) => rig.pull(sources[COUNT - 1 - index] as RigBlob));
      for (const { status, end } of await Promise.all(hits)) expect([status, end]).toEqual([200, 'whole']);
      gate.release();
      expect(await client.ended).toBe('whole');
      await rig.stored(filling);
      await eventually('room was made', async () => store.usage().bytes <= limit || undefined, DISK_DEADLINE);
      expect(store.counters().evicted).toBeGreaterThan(0);
      expect((await rig.pull(filling)).header('Cache-Status')).toBe('manifix; hit');
      // What the invariants ask for was used least lately.
      store.setMaxSize(1e12);
    });
  });
});

import { describe, expect, it } from 'vitest';
import type { Files } from '../../src/store/files.ts';
import { nodeFiles } from '../../src/store/files.ts';
import { KIB, MIB } from '../store/support/bytes.ts';
import { partNames } from '../store/support/test-store.ts';
import { barrier, eventually } from '../support/deadline.ts';
import { inOrder } from '../support/faults/blob-steps.ts';
import { type FaultRig, type RigBlob, withRig } from '../support/faults/rig.ts';
import { forEachSeed, scale } from '../support/faults/scale.ts';
import { head, respond, type Step, send, waitFor } from '../support/script-steps.ts';

const SIZE = 4 * MIB;

/** The upstream sends the first bytes of the blob, and the rest when the returned barrier is released. */
function holdAt(rig: FaultRig, blob: RigBlob, count: number, announced = blob.bytes.length) {
  const gate = barrier();
  rig.upstream.on('GET', blob.pattern, [
    head(200, [`Content-Length: ${announced}`]),
    send(blob.bytes.subarray(0, count)),
    waitFor(gate),
    send(blob.bytes.subarray(count)),
  ]);
  rig.upstream.on('HEAD', blob.pattern, [respond(200, [], blob.bytes)]);
  return gate;
}

describe('F31: the client that came first and leaves', () => {
  it.each([0.05, 0.5, 0.99])('at %d of the blob takes nothing from the others', async (share) => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      const count = Math.floor(SIZE * share);
      const gate = holdAt(rig, blob, count);
      const leader = await rig.open(blob);
      const followers = await Promise.all(Array.from({ length: 5 }, () => rig.open(blob)));
      const withheld = 64 * KIB;
      await leader.received(Math.min(count, SIZE - withheld) - withheld);
      leader.leave();
      await leader.ended;
      gate.release();
      for (const { ended, digest } of followers) expect([await ended, digest()]).toEqual(['whole', blob.digest]);
      expect(rig.gets(blob)).toBe(1);
    });
  });
});

describe('F32: a first client that does not read', () => {
  it('holds up none of the others', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(scale(24, 64) * MIB);
      const gate = holdAt(rig, blob, MIB);
      const leader = await rig.open(blob);
      leader.pause();
      const followers = await Promise.all(Array.from({ length: scale(4, 16) }, () => rig.open(blob)));
      gate.release();
      for (const { ended, digest } of followers) expect([await ended, digest()]).toEqual(['whole', blob.digest]);
      await rig.stored(blob);
      expect(leader.length).toBeLessThan(blob.bytes.length);
      leader.resume();
      expect([await leader.ended, leader.digest()]).toEqual(['whole', blob.digest]);
      expect(rig.gets(blob)).toBe(1);
    });
  });
});

describe('F33: a fill that all clients leave', () => {
  const leaveAt = async (rig: FaultRig, blob: RigBlob, enough = 1) => {
    const client = await rig.open(blob);
    await client.received(enough);
    client.leave();
    await client.ended;
    await eventually(
      'the end is noticed',
      async () => rig.cache.finished.some(({ path }) => path === blob.target) || undefined,
    );
  };

  it.each([
    ['that have not read all there is', 1],
    ['that wait for more', MIB],
  ])('%s near its start is ended five seconds later, upstream and on disk', async (_who, enough) => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      holdAt(rig, blob, MIB, 200 * MIB);
      await leaveAt(rig, blob, enough);
      const { connection } = await rig.upstream.requestArrived(({ target }) => target === blob.target);
      // Bytes are handed on before the file is there.
      await eventually('a part file', async () => (await partNames(rig.directory)).length === 1 || undefined);
      rig.clock.advance(5_000);
      await rig.upstream.connectionClosed(connection);
      await eventually('no part files', async () => (await partNames(rig.directory)).length === 0 || undefined);
    });
  });

  it.each([0.5, 0.95])('at %d, when little is missing, is finished and stored', async (share) => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      const gate = holdAt(rig, blob, SIZE * share);
      await leaveAt(rig, blob);
      rig.clock.advance(60_000);
      gate.release();
      await rig.stored(blob);
      expect((await rig.pull(blob)).header('Cache-Status')).toBe('manifix; hit');
      expect(rig.gets(blob)).toBe(1);
    });
  });
});

describe('F34: a client that joins', () => {
  it('anywhere in a running fill or behind it gets all of it, by one fetch', async () => {
    await forEachSeed(scale(5, 100), async (random) => {
      await withRig({}, async (rig) => {
        const blob = rig.blob(MIB);
        const pieces: Step[] = [];
        const gates = Array.from({ length: 10 }, () => barrier());
        const joints = gates.map(() => random.below(MIB)).sort((one, other) => one - other);
        gates.forEach((gate, index) => {
          pieces.push(send(blob.bytes.subarray(joints[index - 1] ?? 0, joints[index])), waitFor(gate));
        });
        pieces.push(send(blob.bytes.subarray(joints.at(-1))));
        rig.upstream.on('GET', blob.pattern, [head(200, [`Content-Length: ${MIB}`]), inOrder(...pieces)]);
        rig.upstream.on('HEAD', blob.pattern, [respond(200, [], blob.bytes)]);
        const joining = [rig.pull(blob)];
        for (const gate of gates) {
          await rig.upstream.requestArrived(({ target }) => target === blob.target);
          for (let count = 0; count < scale(3, 9); count += 1) joining.push(rig.pull(blob));
          gate.release();
        }
        for (const { status, digest } of await Promise.all(joining)) {
          expect([status, digest()]).toEqual([200, blob.digest]);
        }
        expect(rig.gets(blob)).toBe(1);
      });
    });
  });

  it.each(['syncData', 'rename', 'syncDirectory'] as const)('while %s is under way finds the blob', async (call) => {
    const gate = barrier();
    let isHeld = false;
    const files: Files = {
      ...nodeFiles,
      [call]: async (...parameters: [string & number, string]) => {
        if (isHeld) await gate.passed;
        return (nodeFiles[call] as (...all: unknown[]) => Promise<void>)(...parameters);
      },
    };
    await withRig({ files }, async (rig) => {
      const blob = rig.blob(MIB);
      rig.serve(blob);
      isHeld = true;
      const first = await rig.pull(blob);
      const second = await rig.pull(blob);
      expect([first.digest(), second.digest()]).toEqual([blob.digest, blob.digest]);
      isHeld = false;
      gate.release();
      await rig.stored(blob);
      expect(rig.gets(blob)).toBe(1);
    });
  });
});

describe('F35: the same blob in a repository that one client may not read', () => {
  it('gives that client the refusal of the registry and no byte, whoever else downloads it', async () => {
    await withRig({}, async (rig) => {
      const denied = JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] });
      for (let pair = 0; pair < scale(10, 100); pair += 1) {
        const open = rig.blob(200_000, `pair ${pair}`, 'open');
        const closed = { ...open, target: open.target.replace('/open/', '/closed/') };
        rig.serve(open);
        const refusal = respond(401, [['WWW-Authenticate', 'Basic realm="x"']], denied);
        for (const method of ['GET', 'HEAD']) rig.upstream.on(method, new RegExp(`^${closed.target}`), [refusal]);
        const [mine, theirs] = await Promise.all([rig.pull(open), rig.pull(closed)]);
        expect([mine.status, mine.digest()]).toEqual([200, open.digest]);
        expect([theirs.status, theirs.body().includes(open.bytes.subarray(0, 16))]).toEqual([401, false]);
        await rig.stored(open);
        expect((await rig.pull(closed)).status).toBe(401);
      }
    });
  });
});

describe('F39: many more cold blobs than fills at a time', () => {
  it('all come, whoever waits, and each is fetched once', async () => {
    await withRig({}, async (rig) => {
      const blobs = Array.from({ length: scale(100, 200) }, (_, index) => rig.blob(100_000, `crowd ${index}`));
      const gate = barrier();
      for (const { pattern, bytes } of blobs) rig.upstream.on('GET', pattern, [waitFor(gate), respond(200, [], bytes)]);
      const clients = scale(2, 5);
      const pulled = Promise.all(blobs.flatMap((blob) => Array.from({ length: clients }, () => rig.pull(blob))));
      await eventually('64 fills run', async () => rig.upstream.inFlight === 64 || undefined);
      await rig.expectAlive();
      gate.release();
      for (const { status, end } of await pulled) expect([status, end]).toEqual([200, 'whole']);
      expect(new Set(blobs.map((blob) => rig.gets(blob)))).toEqual(new Set([1]));
    });
  });
});

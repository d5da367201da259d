import { execFileSync } from 'node:child_process';
import { mkdir, open, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { type Files, nodeFiles } from '../../src/store/files.ts';
import { openStore } from '../../src/store/open-store.ts';
import { createFaultyFiles, type FileCall } from '../store/support/faulty-files.ts';
import { blobPath } from '../store/support/test-store.ts';
import { eventually } from '../support/deadline.ts';
import { DISK_DEADLINE, type FaultRig, type RigBlob, withRig } from '../support/faults/rig.ts';
import { isFullRun, scale } from '../support/faults/scale.ts';
import { sampleImage } from '../support/images.ts';
import { respond } from '../support/script-steps.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const SIZE = scale(1, 3) * 1024 * 1024;

/** A file system on which calls of a name fail from a number on, for as long as the test says so. */
function failing() {
  const state: { calls: readonly FileCall[]; code: string; count: number; onlyOnce: boolean; fired: number } = {
    ...{ calls: [], code: 'EIO', count: 1, onlyOnce: false, fired: 0 },
  };
  const files = createFaultyFiles(nodeFiles, (call) => {
    if (!state.calls.includes(call)) return undefined;
    state.count -= 1;
    if (state.count > 0 || (state.onlyOnce && state.fired > 0)) return undefined;
    state.fired += 1;
    return state.code;
  });
  return {
    files,
    /** From the n-th call on they fail; `once`: the n-th only. */
    fail(calls: readonly FileCall[], code: string, { from = 1, once = false } = {}) {
      Object.assign(state, { calls, code, count: from, onlyOnce: once, fired: 0 });
    },
    /** Nothing fails any more. Says whether anything did. */
    heal(): boolean {
      state.calls = [];
      return state.fired > 0;
    },
  };
}

async function warm(rig: FaultRig, blob: RigBlob): Promise<void> {
  rig.serve(blob);
  await rig.pull(blob);
  await rig.stored(blob);
}

const WRITING: readonly FileCall[] = ['create', 'write', 'syncData', 'rename', 'syncDirectory', 'makeDirectory'];

describe('F50: a disk that is full', () => {
  it.each(WRITING)(
    'from any %s on lets every client finish, and stores again as soon as there is room',
    async (call) => {
      const disk = failing();
      await withRig({ files: disk.files }, async (rig) => {
        let wasFull = true;
        for (let from = 1; wasFull; from += 1) {
          const blob = rig.blob(SIZE, `full ${call} ${from}`);
          rig.serve(blob);
          disk.fail([call], 'ENOSPC', { from });
          const { status, end, digest } = await rig.pull(blob);
          expect([status, end, digest()]).toEqual([200, 'whole', blob.digest]);
          await eventually(
            'the fill is over',
            async () => rig.cache.store.blobs.fill(blob.digest) === undefined || undefined,
            DISK_DEADLINE,
          );
          wasFull = disk.heal();
          expect((await rig.pull(blob)).end).toBe('whole');
          await rig.stored(blob);
          expect(rig.cache.store.health()).toBe('ok');
        }
      });
    },
  );
});

describe('F51: a disk that cannot be written', () => {
  it.each(['EROFS', 'EACCES'])('(%s) while manifix runs is passed by, reported, and used again later', async (code) => {
    const disk = failing();
    await withRig({ files: disk.files }, async (rig) => {
      const blob = rig.blob(SIZE);
      rig.serve(blob);
      disk.fail([...WRITING, 'remove'], code);
      for (const time of [1, 2]) {
        expect((await rig.pull(blob)).end).toBe('whole');
        await eventually(
          'the fill is over',
          async () => rig.cache.store.blobs.fill(blob.digest) === undefined || undefined,
          DISK_DEADLINE,
        );
        expect(rig.gets(blob)).toBe(time);
      }
      expect(rig.cache.store.health()).toMatchObject({ degraded: expect.stringContaining(code) });
      await rig.expectAlive();
      disk.heal();
      await rig.pull(blob);
      await rig.stored(blob);
      expect(rig.cache.store.health()).toBe('ok');
    });
  });

  it.each(['EROFS', 'EACCES'])('(%s) at the start is refused with a sentence that says why', async (code) => {
    await using home = await temporaryDirectory();
    const files = createFaultyFiles(nodeFiles, (call) => (WRITING.includes(call) ? code : undefined));
    const start = openStore({ directory: home.path, maxSize: 1e9, files, warn: () => undefined });
    await expect(start).rejects.toThrow(/^The cache directory .* cannot be used: .*\.$/);
  });
});

describe('F52: a cached file that cannot be read', () => {
  it.each([1, 2, 3])('at its read number %i is never complete with wrong bytes, and is fetched again', async (from) => {
    const disk = failing();
    await withRig({ files: disk.files }, async (rig) => {
      const blob = rig.blob(SIZE);
      await warm(rig, blob);
      disk.fail(['read'], 'EIO', { from, once: true });
      const first = await rig.pull(blob);
      if (first.end === 'whole') expect(first.digest()).toBe(blob.digest);
      disk.heal();
      const second = await rig.pull(blob);
      expect([second.end, second.digest()]).toEqual(['whole', blob.digest]);
      await rig.stored(blob);
      expect(rig.cache.store.counters().damaged).toBe(1);
    });
  });
});

/** Puts something else in the place of a file. */
const replaced = (put: (path: string) => unknown) => async (path: string) => {
  await rm(path);
  await put(path);
};

/** A time that can be set to exactly what it was, in seconds. */
const OLD = 1;

/** Changes a file's length but not its time, as a crash of the system can. */
const resized = (size: number) => async (path: string) => {
  await truncate(path, size);
  await utimes(path, OLD, OLD);
};

const damages: readonly (readonly [string, (path: string) => Promise<unknown>])[] = [
  ['one byte less', resized(SIZE - 1)],
  ['no byte', resized(0)],
  ['one byte more', resized(SIZE + 1)],
  ['other bytes', (path) => writeFile(path, Buffer.alloc(SIZE, 'x'))],
  ['a directory', replaced((path) => mkdir(path))],
  ['a symbolic link', replaced((path) => symlink('/etc/passwd', path))],
  ['a FIFO', replaced((path) => execFileSync('mkfifo', [path]))],
  ['nothing', (path) => rm(path)],
];

describe('F54: a cached file that was damaged', () => {
  it.each(damages)('(%s) is noticed before it is served, and fetched again', async (what, damage) => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      await warm(rig, blob);
      const path = blobPath(rig.directory, blob.digest);
      await utimes(path, OLD, OLD);
      await rig.pull(blob);
      await damage(path);
      // With the file that it has open manifix would still serve what had been there.
      await rig.restart();
      const { status, end, digest } = await rig.pull(blob);
      expect([status, end, digest()]).toEqual([200, 'whole', blob.digest]);
      await rig.stored(blob);
      expect(rig.gets(blob)).toBe(2);
      expect(rig.cache.store.counters().damaged).toBe(what === 'nothing' ? 0 : 1);
    });
  });

  it('(a bit, and its time set back) is found by looking at all', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      await warm(rig, blob);
      const path = blobPath(rig.directory, blob.digest);
      const file = await open(path, 'r+');
      const { atime, mtime } = await file.stat();
      await file.write(Buffer.from([blob.bytes.readUInt8(1000) ^ 1]), 0, 1, 1000);
      await file.close();
      await utimes(path, atime, mtime);
      const report = await rig.cache.store.maintenance.verify(new AbortController().signal);
      expect(report.damaged).toBe(1);
      expect((await rig.pull(blob)).end).toBe('whole');
      await rig.stored(blob);
    });
  });
});

describe('F59: a disk that is very slow', () => {
  it('does not hold up manifests that are in memory, nor the start of a download', async () => {
    const gate = Promise.withResolvers<void>();
    let isSlow = false;
    const slow =
      <Parameters extends readonly unknown[], Result>(call: (...parameters: Parameters) => Promise<Result>) =>
      async (...parameters: Parameters): Promise<Result> => {
        if (isSlow) await gate.promise;
        return call(...parameters);
      };
    const files: Files = {
      ...nodeFiles,
      openForReading: slow(nodeFiles.openForReading),
      create: slow(nodeFiles.create),
      write: slow(nodeFiles.write),
      syncData: slow(nodeFiles.syncData),
      rename: slow(nodeFiles.rename),
      read: (fd, buffer, length, position, done) => {
        const read = () => nodeFiles.read(fd, buffer, length, position, done);
        if (isSlow) void gate.promise.then(read);
        else read();
      },
    };
    await withRig({ files }, async (rig) => {
      const image = sampleImage('oci-amd64');
      const target = `/v2/app/manifests/${image.digest}`;
      rig.upstream.on('GET', /manifests/, [respond(200, [['Content-Type', image.mediaType]], image.bytes)]);
      await rig.pull({ target });
      isSlow = true;
      rig.clock.jump(5_000);
      for (let hit = 0; hit < 10; hit += 1) {
        const { status, header, digest } = await rig.pull({ target });
        expect([status, header('Cache-Status'), digest()]).toEqual([200, 'manifix; hit', image.digest]);
      }
      isSlow = false;
      gate.resolve();
    });
  });

  it.runIf(isFullRun)('is no reason to lose anything, whichever call takes long', async () => {
    const slowly =
      <Parameters extends readonly unknown[], Result>(call: (...all: Parameters) => Promise<Result>) =>
      async (...all: Parameters): Promise<Result> => {
        await new Promise((done) => setTimeout(done, 200));
        return call(...all);
      };
    const { openForReading, create, write, syncData, syncDirectory, rename } = nodeFiles;
    const files: Files = {
      ...nodeFiles,
      ...{ openForReading: slowly(openForReading), create: slowly(create), write: slowly(write) },
      ...{ syncData: slowly(syncData), syncDirectory: slowly(syncDirectory), rename: slowly(rename) },
    };
    await withRig({ files }, async (rig) => {
      const blobs = Array.from({ length: 20 }, (_, index) => rig.blob(SIZE, `slow ${index}`));
      for (const blob of blobs) rig.serve(blob);
      for (const { end } of await Promise.all(blobs.map((blob) => rig.pull(blob)))) expect(end).toBe('whole');
      for (const blob of blobs) await rig.stored(blob);
    });
  });
});

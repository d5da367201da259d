import { expect } from 'vitest';
import type { Digest } from '../../../src/domain/digest.ts';
import { type Sample, sample } from '../../store/support/bytes.ts';
import { eventually } from '../deadline.ts';
import { respond } from '../script-steps.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../scripted-upstream.ts';
import { temporaryDirectory } from '../temporary.ts';
import { serveBlob } from './blob-steps.ts';
import { type Download, type DownloadRequest, openDownload } from './download.ts';
import { createFaultClock, type FaultClock } from './fault-clock.ts';
import {
  countSockets,
  expectNoDefects,
  expectNoParts,
  expectNothingLeft,
  expectSoundFiles,
  wrongness,
} from './invariants.ts';
import { type CacheOptions, type RunningCache, startCache } from './running-cache.ts';

/** A blob that tests ask for. The upstream does not have it until a script says so. */
export interface RigBlob extends Sample {
  readonly target: string;
  /** Matches the target, with or without a query. */
  readonly pattern: RegExp;
}

/** How long the end of a download may take whose bytes have to be on disk first, in milliseconds. */
export const DISK_DEADLINE = 90_000;

/** manifix between a scripted registry and clients that never take a wrong byte for right. */
export interface FaultRig {
  readonly upstream: ScriptedUpstream;
  readonly clock: FaultClock;
  readonly directory: string;
  readonly cache: RunningCache;
  /** Makes a blob of that size; the seed tells those of one size apart. */
  blob(size: number, seed?: string, repository?: string): RigBlob;
  /** The upstream has the blob from now on. */
  serve(blob: RigBlob): void;
  /** Asks, and resolves with the head of the answer. */
  open(request: DownloadRequest): Promise<Download>;
  /** Asks, and resolves at the end of the answer. */
  pull(request: DownloadRequest): Promise<Pulled>;
  /** Resolves when the blob is in the store: that is a moment after its last byte was served. */
  stored(blob: RigBlob): Promise<true>;
  /** Number of GETs that the upstream got for the blob. */
  gets(blob: RigBlob): number;
  /** Asks for something that has been stored from the start: the process is alive and its loop turns. */
  expectAlive(): Promise<void>;
  /** Ends manifix and starts it anew on the same directory, with other options where given. */
  restart(options?: RigOptions): Promise<void>;
}

export interface Pulled extends Download {
  readonly end: Awaited<Download['ended']>;
}

export type RigOptions = Omit<Partial<CacheOptions>, 'directory' | 'clock'>;

/** Runs a fault, and then checks the invariants I1 to I5. */
export async function withRig(options: RigOptions, fault: (rig: FaultRig) => Promise<void>): Promise<void> {
  const socketsBefore = countSockets();
  await using home = await temporaryDirectory();
  const stage = await setUp(home.path, options);
  const { rig } = stage;
  try {
    await fault(rig);
    await expectRecovery(stage);
    rig.clock.advance(60_000);
    await expectNoParts(rig.directory);
    await stage.stop();
    rig.clock.advance(60_000);
    await expectNothingLeft({ directory: rig.directory, clock: rig.clock, socketsBefore });
    await expectSoundFiles(rig.directory);
  } finally {
    await stage.stop();
  }
}

interface Stage {
  readonly rig: FaultRig;
  /** The right bytes of digests. */
  readonly known: ReadonlyMap<string, Buffer>;
  readonly downloads: readonly Download[];
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/** I2, I3 and I5: nothing wrong was served, and all works again. */
async function expectRecovery({ rig, known, downloads }: Stage): Promise<void> {
  await rig.expectAlive();
  // I3 gives it 10 s; a registry that failed is left in peace for at most as long.
  rig.clock.jump(10_000);
  const fresh = rig.blob(200_000, 'fresh');
  rig.serve(fresh);
  const { status, end, digest } = await rig.pull(fresh);
  expect([status, end, digest()], 'a normal pull afterwards').toEqual([200, 'whole', fresh.digest]);
  await rig.stored(fresh);
  // Downloads that a test left open can only be cut now.
  for (const download of downloads) download.leave();
  for (const download of downloads) expect(await wrongness(download, known)).toBeUndefined();
  expectNoDefects(rig.cache);
}

async function setUp(directory: string, options: RigOptions): Promise<Stage> {
  const upstream = await startScriptedUpstream();
  const clock = createFaultClock();
  const known = new Map<string, Buffer>();
  const downloads: Download[] = [];
  const start = (others: RigOptions) => startCache({ upstream: upstream.url, ...options, ...others, directory, clock });
  let cache = await start({});

  async function open(request: DownloadRequest): Promise<Download> {
    const download = await openDownload(cache.url, request);
    downloads.push(download);
    return download;
  }

  const rig: FaultRig = {
    ...{ upstream, clock, directory, open },
    get cache() {
      return cache;
    },
    blob(size, seed = `${size}`, repository = 'app') {
      const made = sample(size, seed);
      known.set(made.digest, made.bytes);
      const path = `/v2/${repository}/blobs/${made.digest}`;
      return { ...made, target: path, pattern: new RegExp(`^${path}(\\?|$)`) };
    },
    serve({ pattern, bytes }) {
      upstream.on('HEAD', pattern, [respond(200, [], bytes)]);
      upstream.on('GET', pattern, [serveBlob(bytes)]);
    },
    async pull(request) {
      const download = await open(request);
      return Object.assign(download, { end: await download.ended });
    },
    // A sync waits for all that the machine has to write, which may be the work of other programs.
    stored: ({ digest }) => eventually(`${digest} is stored`, () => isStored(cache, digest), DISK_DEADLINE),
    gets: ({ pattern }) =>
      upstream.requests.filter(({ method, target }) => method === 'GET' && pattern.test(target)).length,
    async expectAlive() {
      const { status, body } = await rig.pull(canary);
      expect([status, body().equals(canary.bytes)], 'another request meanwhile').toEqual([200, true]);
    },
    async restart(others = {}) {
      await cache.stop();
      cache = await start(others);
    },
  };
  const canary = rig.blob(1000, 'canary', 'always');
  rig.serve(canary);
  await rig.pull(canary);
  await rig.stored(canary);

  let stopped: Promise<void> | undefined;
  async function stop(): Promise<void> {
    for (const download of downloads) download.leave();
    await cache.stop();
    await upstream.stop();
  }
  return {
    ...{ rig, known, downloads },
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

async function isStored({ store }: RunningCache, digest: Digest): Promise<true | undefined> {
  const blob = await store.blobs.open(digest);
  blob?.close();
  return blob === undefined ? undefined : true;
}

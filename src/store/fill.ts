import type { Digest } from '../domain/digest.ts';
import type { LentBlob } from './blob-files.ts';
import { createFillBody, type FillBody } from './fill-body.ts';
import { abandoned } from './fill-errors.ts';
import { type FillContext, fetchVerified, store } from './fill-fetch.ts';
import { createFillReader } from './fill-reader.ts';
import { createFillTurn } from './fill-turn.ts';
import { createIdleWatch } from './idle-watch.ts';
import type { Fill, FillHead, FillShare, FillSource } from './types.ts';

export interface RunningFill extends Fill {
  /** Somebody else wants it, in whose place it may begin. */
  join(share: FillShare): void;
  /** Whether a reader that comes now can have all bytes. */
  readonly isJoinable: boolean;
  /** Whether its readers can have all of it while it is being put in its place. */
  readonly isPlacing: boolean;
  /** Whether it is over and nobody reads it: its file is kept for those who are about to. */
  readonly isIdle: boolean;
  /** Settles when the blob is in its place, or every trace of it is gone from the disk. Never rejects. */
  readonly ended: Promise<void>;
  /** Readers reject with the error and nothing is stored, unless the blob was verified already. */
  abort(error: Error): void;
  /** Lets go of the file when nobody will read any more. */
  release(): void;
}

// A blob that nobody waits for any more is still fetched when most of it is here, or little is missing.
const WORTH_FINISHING_BYTES = 64 * 1024 * 1024;

export interface FillListener {
  /** The blob is in its place, or nobody can join any more. Called before `finished` settles. */
  onOver(): void;
  /** The fill holds nothing any more. */
  onReleased(): void;
}

export interface FillOrder {
  readonly digest: Digest;
  readonly source: FillSource;
  readonly share: FillShare;
}

/** Starts the one download of a blob. */
export function createFill(
  context: FillContext,
  { digest, source, share }: FillOrder,
  listener: FillListener,
): RunningFill {
  const started = quiet(Promise.withResolvers<FillHead>());
  const finished = quiet(Promise.withResolvers<boolean>());
  const controller = new AbortController();
  const turn = createFillTurn(context.slots, controller.signal);
  turn.join(share);
  let isOver = false;
  let freeSlot = () => {};
  const idle = createIdleWatch(context.clock, () => body.readers, onIdle);
  const body = createFillBody({ ...context, onDiskError, onReaders: idle.update });

  function onDiskError(error: unknown): void {
    context.health.failed(error);
    // From now on the slowest reader sets the pace, and it must not hold up other fills.
    freeSlot();
    idle.update();
  }

  function onIdle(): void {
    if (isOver) release();
    else if (!body.isVerified && !isWorthFinishing(body)) abort(abandoned());
  }

  function release(): void {
    body.trail.release();
    listener.onReleased();
  }

  function abort(error: Error): void {
    if (body.isVerified) return;
    body.fail(error);
    controller.abort(error);
  }

  function start(head: FillHead): void {
    body.size = head.size;
    started.resolve(head);
    idle.start();
  }

  async function obtain(): Promise<boolean> {
    context.admit(digest);
    const stored = await context.findStored(digest);
    if (stored !== undefined) return adopt(stored);
    freeSlot = await turn.wait();
    try {
      await fetchVerified({ context, digest, source, body, start, signal: controller.signal });
      return await store(context, digest, body);
    } finally {
      freeSlot();
    }
  }

  function adopt(stored: LentBlob): true {
    body.trail.adopt(stored.opened.file, stored.size);
    stored.close();
    body.verify();
    start({ size: stored.size, headers: [] });
    return true;
  }

  async function run(): Promise<void> {
    try {
      const isStored = await obtain();
      listener.onOver();
      finished.resolve(isStored);
    } catch (error) {
      body.fail(error);
      started.reject(error);
      await body.trail.unlink();
      listener.onOver();
      finished.reject(error);
      release();
    }
    isOver = true;
    idle.update();
  }

  return {
    join: turn.join,
    started: started.promise,
    finished: finished.promise,
    get received() {
      return body.trail.received;
    },
    reader: (range) => createFillReader(body, range),
    get isJoinable() {
      return !body.hasFailed && body.trail.isWhole;
    },
    get isPlacing() {
      return body.isVerified && !isOver;
    },
    get isIdle() {
      return isOver && body.readers === 0;
    },
    ended: run(),
    abort,
    release,
  };
}

function isWorthFinishing({ size, trail }: FillBody): boolean {
  if (size === undefined || trail.isPassingThrough) return false;
  const missing = size - trail.received;
  return missing <= trail.received || missing <= WORTH_FINISHING_BYTES;
}

/** Nobody has to listen to it. */
function quiet<T>(resolvers: PromiseWithResolvers<T>): PromiseWithResolvers<T> {
  resolvers.promise.catch(() => undefined);
  return resolvers;
}

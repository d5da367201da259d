import { Worker } from 'node:worker_threads';
import type { Digest, DigestAlgorithm } from '../domain/digest.ts';

export type HashRequest =
  | { readonly kind: 'start'; readonly job: number; readonly algorithm: DigestAlgorithm }
  | { readonly kind: 'update'; readonly job: number; readonly pieces: readonly Uint8Array[] }
  | { readonly kind: 'digest' | 'cancel'; readonly job: number };

export type HashReply =
  | { readonly job: number; readonly hashed: number }
  | { readonly job: number; readonly digest: Digest };

/** A digest that another thread computes. */
export interface HashJob {
  /** Shared memory is read where it is, and must stay as it is until `onHashed` counts it; other memory is copied. */
  update(pieces: readonly Uint8Array[]): void;
  /** The digest of all updates. Rejects when the thread broke down. */
  digest(): Promise<Digest>;
  /** Nobody wants the digest any more. Safe to call at any time. */
  cancel(): void;
}

export interface HashThread {
  /**
   * @param onHashed called with the number of bytes of each update, once it was read; infinite when the thread broke down
   * @throws when the system has no thread to give
   */
  start(algorithm: DigestAlgorithm, onHashed: (bytes: number) => void): HashJob;
  close(): Promise<void>;
}

interface RunningJob {
  readonly onHashed: (bytes: number) => void;
  readonly result: PromiseWithResolvers<Digest>;
}

// As it was started: from the sources or from what was built of them.
const PROGRAM = new URL(`hash-worker${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url);

/** One thread that hashes, started when it is first needed. It does not keep the process alive. */
export function createHashThread(): HashThread {
  const jobs = new Map<number, RunningJob>();
  let lastJob = 0;
  let worker: Worker | undefined;

  function receive(reply: HashReply): void {
    const job = jobs.get(reply.job);
    if ('hashed' in reply) {
      job?.onHashed(reply.hashed);
    } else {
      jobs.delete(reply.job);
      job?.result.resolve(reply.digest);
    }
  }

  function breakDown(broken: Worker, cause: unknown): void {
    if (worker !== broken) return;
    worker = undefined;
    const abandoned = [...jobs.values()];
    jobs.clear();
    for (const { result, onHashed } of abandoned) {
      result.reject(new Error('the hashing thread ended', { cause }));
      onHashed(Number.POSITIVE_INFINITY);
    }
  }

  function startWorker(): Worker {
    const started = new Worker(PROGRAM, { name: 'hash' });
    started.on('message', receive);
    started.on('error', (error) => breakDown(started, error));
    started.on('exit', (code) => breakDown(started, code));
    started.unref();
    return started;
  }

  return {
    start(algorithm, onHashed) {
      worker ??= startWorker();
      const thread = worker;
      lastJob += 1;
      const job = lastJob;
      const result = Promise.withResolvers<Digest>();
      result.promise.catch(() => undefined);
      jobs.set(job, { onHashed, result });
      const post = (request: HashRequest) => thread.postMessage(request);
      post({ kind: 'start', job, algorithm });
      return {
        update: (pieces) => post({ kind: 'update', job, pieces }),
        digest() {
          post({ kind: 'digest', job });
          return result.promise;
        },
        cancel() {
          if (jobs.delete(job)) post({ kind: 'cancel', job });
        },
      };
    },
    async close() {
      const ended = worker;
      worker = undefined;
      await ended?.terminate();
    },
  };
}

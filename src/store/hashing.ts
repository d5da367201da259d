import { createDigester, type Digest, type DigestAlgorithm } from '../domain/digest.ts';
import type { HashThread } from './hash-thread.ts';
import type { RecentBytes } from './recent-bytes.ts';

/** Hashes the bytes of a fill as they come. */
export interface Hashing {
  /** Every byte in front of this position was hashed. */
  readonly hashed: number;
  /** Says that there are new bytes. */
  kick(): void;
  /** The digest of all bytes; nothing comes any more. */
  digest(): Promise<Digest>;
  /** Nobody wants the digest. Safe to call at any time. */
  cancel(): void;
}

export interface HashingOptions {
  readonly thread: HashThread;
  readonly bytes: RecentBytes;
  readonly algorithm: DigestAlgorithm;
  /** As announced; undefined when nobody said it. */
  readonly size: number | undefined;
  /** `hashed` grew by itself. */
  readonly onHashed: () => void;
}

/** From this size on the time that hashing takes is worth the trip to another thread. */
const LARGE_BYTES = 4 * 1024 * 1024;
// A message for each chunk that arrives would cost more than hashing it.
const BATCH_BYTES = 512 * 1024;

/** Hashes a large blob on the hashing thread, beside the transfer, and any other at once. */
export function startHashing(options: HashingOptions): Hashing {
  const { size } = options;
  if (size === undefined || size < LARGE_BYTES) return hashHere(options);
  try {
    return hashElsewhere(options);
  } catch {
    // The system has no thread to give.
    return hashHere(options);
  }
}

function hashHere({ bytes, algorithm }: HashingOptions): Hashing {
  const digester = createDigester(algorithm);
  let hashed = 0;
  return {
    get hashed() {
      return hashed;
    },
    kick() {
      for (const piece of bytes.from(hashed)) digester.update(piece);
      hashed = bytes.end;
    },
    digest: async () => digester.digest(),
    cancel() {},
  };
}

function hashElsewhere({ thread, bytes, algorithm, onHashed }: HashingOptions): Hashing {
  let sent = 0;
  let hashed = 0;
  const job = thread.start(algorithm, (count) => {
    hashed += count;
    onHashed();
  });

  function send(): void {
    job.update(bytes.from(sent));
    sent = bytes.end;
  }

  return {
    get hashed() {
      return hashed;
    },
    kick() {
      if (bytes.end - sent >= BATCH_BYTES) send();
    },
    digest() {
      send();
      return job.digest();
    },
    cancel: job.cancel,
  };
}

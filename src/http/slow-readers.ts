import type { Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import type { SendQueues } from './send-queues.ts';

export interface SlowReaderOptions {
  readonly clock: Clock;
  readonly connections: Iterable<Socket>;
  /** Whether memory is short: only then slow clients are a danger. */
  readonly isMemoryShort: () => boolean;
  readonly sendQueues: () => Promise<SendQueues>;
  readonly onCut: () => void;
}

const CHECK_INTERVAL = 20_000;
const MEASURED_TIME = 60_000;
const LEAST_BYTES_PER_SECOND = 1024;

interface Mark {
  readonly at: number;
  readonly taken: number;
}

/**
 * While memory is short, cuts the connections of clients that took less than 1 KiB/s of their answers for a minute. Returns
 * the function that ends the watch.
 */
export function watchSlowReaders(options: SlowReaderOptions): () => void {
  const { clock, connections, isMemoryShort, sendQueues, onCut } = options;
  let marks = new Map<Socket, Mark>();
  let cancel = clock.after(CHECK_INTERVAL, check);

  function check(): void {
    cancel = clock.after(CHECK_INTERVAL, check);
    if (isMemoryShort()) void sendQueues().then(measure);
    else marks.clear();
  }

  function measure(queueOf: SendQueues): void {
    const next = new Map<Socket, Mark>();
    for (const socket of connections) {
      const waiting = waitingFor(socket, queueOf);
      if (waiting === 0) continue;
      const now = { at: clock.now(), taken: socket.bytesWritten - waiting };
      const mark = marks.get(socket) ?? now;
      const milliseconds = now.at - mark.at;
      const isDue = milliseconds >= MEASURED_TIME;
      if (isDue && now.taken - mark.taken < (milliseconds / 1000) * LEAST_BYTES_PER_SECOND) {
        onCut();
        socket.destroy();
      } else {
        next.set(socket, isDue ? now : mark);
      }
    }
    marks = next;
  }

  return () => cancel();
}

/**
 * Bytes that were written and that the client has not taken yet; 0 where the kernel does not tell. What the kernel accepted says
 * little: it takes megabytes at once, which a slow client then fetches for minutes.
 */
function waitingFor(socket: Socket, queueOf: SendQueues): number {
  // No public property tells what libuv still holds of a write.
  const { _handle: handle } = socket as { _handle?: { writeQueueSize: number } | null };
  const queued = queueOf(socket);
  return queued === undefined ? 0 : queued + (handle?.writeQueueSize ?? 0);
}

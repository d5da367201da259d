import type { Slots } from '../lib/slots.ts';
import type { FillShare } from './types.ts';

/** The wait of one fill for its turn, in the places of all who want it: a team must not wait in the queue of another. */
export interface FillTurn {
  join(share: FillShare): void;
  /** Resolves with the function that ends the turn. Rejects when nobody's place led to one, with the last reason. */
  wait(): Promise<() => void>;
}

export function createFillTurn(slots: Slots, signal: AbortSignal): FillTurn {
  const { promise: begun, resolve, reject } = Promise.withResolvers<() => void>();
  const over = new AbortController();
  const ended = AbortSignal.any([signal, over.signal]);
  const shares = new Map<string, FillShare>();
  let isWaiting = false;

  async function queue(key: string, { group, enter }: FillShare): Promise<void> {
    let leave: (() => void) | undefined;
    try {
      leave = await enter?.(ended);
      const free = await slots.acquire(ended, group);
      const end = () => {
        free();
        leave?.();
      };
      // Two places may come up at the same moment.
      if (over.signal.aborted) return end();
      over.abort();
      resolve(end);
    } catch (error) {
      leave?.();
      shares.delete(key);
      if (shares.size > 0) return;
      over.abort();
      reject(error);
    }
  }

  return {
    join(share) {
      const key = `${share.group} ${share.client}`;
      if (over.signal.aborted || shares.has(key)) return;
      shares.set(key, share);
      if (isWaiting) void queue(key, share);
    },
    wait() {
      isWaiting = true;
      for (const [key, share] of shares) void queue(key, share);
      return begun;
    },
  };
}

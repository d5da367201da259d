import type { Clock } from '../lib/clock.ts';
import type { Claim } from './endpoint-contents.ts';

/** Uses of content, which are noted in memory and written together. */
export interface NotedUses {
  note(use: Omit<Claim, 'used'>): void;
  /** Writes what is pending. */
  write(): void;
}

export interface NotedUsesOptions {
  readonly clock: Clock;
  /** When content was used last before the start. */
  readonly lastUse: number;
  write(uses: readonly Claim[]): void;
  /** Called after what was pending was written because it was time to. */
  onFlush(): void;
}

const FLUSH_AFTER_MILLISECONDS = 5_000;
const FLUSH_AT_COUNT = 1_000;

/** A row is written at most every few seconds, or when there are many. */
export function createNotedUses({ clock, lastUse: known, write, onFlush }: NotedUsesOptions): NotedUses {
  const pending = new Map<string, Claim>();
  let lastUse = known;
  let cancelFlush: (() => void) | undefined;

  // Never the same twice and never backwards, so that a clock that is set back does not make what is in use look old.
  function nextUse(): number {
    lastUse = Math.max(lastUse + 1, Math.floor(clock.now()));
    return lastUse;
  }

  function writePending(): void {
    cancelFlush?.();
    cancelFlush = undefined;
    if (pending.size === 0) return;
    const uses = [...pending.values()];
    pending.clear();
    write(uses);
  }

  function flush(): void {
    writePending();
    onFlush();
  }

  return {
    note(use) {
      pending.set(`${use.endpoint} ${use.kind} ${use.digest}`, { ...use, used: nextUse() });
      if (pending.size >= FLUSH_AT_COUNT) flush();
      else cancelFlush ??= clock.after(FLUSH_AFTER_MILLISECONDS, flush);
    },
    write: writePending,
  };
}

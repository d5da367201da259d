import type { Digest } from '../domain/digest.ts';
import type { ContentPlace } from './contents.ts';
import type { Database } from './database.ts';
import { attempt, type Health } from './health.ts';
import type { ContentKind } from './layout.ts';

/** How far the scrubber came. A new process goes on there. */
export interface ScrubPosition {
  /** The last file that was checked in this round; undefined at its start. */
  readonly last: ContentPlace | undefined;
  moveTo(place: ContentPlace): void;
  /** The round is complete: the next one starts at the beginning. */
  complete(at: number): void;
  /** Writes it down. */
  save(): void;
}

/** Reads the position from the database; one that cannot be read is the beginning. */
export function createScrubPosition(database: Database, health: Health): ScrubPosition {
  const row = attempt(health, () => database.run((statements) => statements.scrub.get()));
  let last: ContentPlace | undefined;
  let completedAt = row?.completed_at ?? null;
  // The columns are those that `save` writes.
  if (row?.digest) last = { kind: row.kind as ContentKind, digest: row.digest as Digest };

  function save(): void {
    attempt(health, () =>
      database.run((statements) => statements.putScrub.run(last?.kind ?? '', last?.digest ?? '', completedAt)),
    );
  }

  return {
    get last() {
      return last;
    },
    moveTo(place) {
      last = place;
    },
    complete(at) {
      last = undefined;
      completedAt = at;
      save();
    },
    save,
  };
}

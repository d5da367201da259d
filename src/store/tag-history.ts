import type { View } from '../domain/accept.ts';
import type { Digest } from '../domain/digest.ts';
import type { RepositoryName, Tag } from '../domain/reference.ts';
import { type Pin, type SeenTag, type Sighting, sight } from '../domain/tag-history.ts';
import type { Database } from './database.ts';
import { attempt, type Health } from './health.ts';

/** What tags of registries meant, and when. A database that fails knows nothing and forgets what it is told. */
export interface TagHistory {
  of(upstream: string, repository: RepositoryName, tag: Tag): readonly Sighting[];
  /** Records that a tag was seen to mean a digest. */
  note(upstream: string, repository: RepositoryName, tag: Tag, seen: SeenTag): void;
}

/** What operators fixed tags to. Looking costs no question to the database; changes throw when they are not safe. */
export interface PinRecords {
  of(upstream: string, repository: RepositoryName, tag: Tag): Pin | undefined;
  put(upstream: string, repository: RepositoryName, tag: Tag, pin: Pin): void;
  /** Whether there was one. */
  drop(upstream: string, repository: RepositoryName, tag: Tag): boolean;
}

/** Digests of one tag in one view, and of all tags together. */
const MAX_OF_TAG = 100;
const MAX_OF_ALL = 200_000;
/** The part that goes at once when there are too many: what was confirmed longest ago. */
const SURPLUS = 0.01;

export function createTagHistory(database: Database, health: Health, maxOfAll = MAX_OF_ALL): TagHistory {
  let count: number | undefined;

  function of(upstream: string, repository: RepositoryName, tag: Tag): readonly Sighting[] {
    const rows = attempt(health, () =>
      database.run((statements) => statements.tagHistory.all(upstream, repository, tag)),
    );
    return (rows ?? []).map(sightingOf);
  }

  return {
    of,
    note(upstream, repository, tag, seen) {
      const history = of(upstream, repository, tag);
      const sighting = sight(history, seen);
      if (sighting === undefined) return;
      const { view, digest, turn, firstSeen, confirmed, by, user = null } = sighting;
      const isNew = !history.some((known) => known.view === view && known.digest === digest);
      attempt(health, () =>
        database.transact((statements) => {
          const place = [upstream, repository, tag, view] as const;
          statements.putSighting.run(...place, digest, turn, firstSeen, confirmed, by, user);
          if (!isNew) return;
          count ??= Number(statements.countSightings.get()?.count) - 1;
          count += 1 - Number(statements.boundTagHistory.run(...place, MAX_OF_TAG).changes);
          const surplus = count > maxOfAll ? Math.ceil(count - maxOfAll * (1 - SURPLUS)) : 0;
          if (surplus > 0) count -= Number(statements.boundSightings.run(surplus).changes);
        }),
      );
    },
  };
}

/** A row of SIGHTINGS_OF_TAG, which has the branded types that were written to it. */
export function sightingOf(row: Readonly<Record<string, unknown>>): Sighting {
  return {
    view: row.view as View,
    digest: row.digest as Digest,
    turn: Number(row.turn),
    firstSeen: Number(row.first_seen),
    confirmed: Number(row.confirmed),
    by: row.seen_by as Sighting['by'],
    ...(row.user === null ? {} : { user: String(row.user) }),
  };
}

export function createPins(database: Database, health: Health): PinRecords {
  const keyOf = (upstream: string, repository: string, tag: string) => `${upstream} ${repository}:${tag}`;
  const rows = attempt(health, () => database.run((statements) => statements.pins.all())) ?? [];
  const pins = new Map<string, Pin>(
    rows.map(({ upstream, repository, tag, digest, note, pinned_at: pinnedAt }) => [
      keyOf(String(upstream), String(repository), String(tag)),
      // Written from a Digest.
      { digest: digest as Digest, pinnedAt: Number(pinnedAt), ...(note === null ? {} : { note: String(note) }) },
    ]),
  );
  return {
    of: (upstream, repository, tag) => (pins.size === 0 ? undefined : pins.get(keyOf(upstream, repository, tag))),
    put(upstream, repository, tag, pin) {
      const { digest, note = null, pinnedAt } = pin;
      database.transact(
        (statements) => statements.putPin.run(upstream, repository, tag, digest, note, pinnedAt),
        'durable',
      );
      pins.set(keyOf(upstream, repository, tag), pin);
    },
    drop(upstream, repository, tag) {
      database.transact((statements) => statements.dropPin.run(upstream, repository, tag), 'durable');
      return pins.delete(keyOf(upstream, repository, tag));
    },
  };
}

import type { View } from './accept.ts';
import type { Digest } from './digest.ts';

/** One digest that a tag meant to one kind of request; times are manifix's own, in milliseconds since the epoch. */
export interface Sighting {
  readonly view: View;
  readonly digest: Digest;
  /** Counts the moves of the tag in this view; the greatest one is the last. Times do not order: clocks are set back. */
  readonly turn: number;
  readonly firstSeen: number;
  readonly confirmed: number;
  /** How the tag came to mean it, the last time that it did. */
  readonly by: 'pull' | 'push';
  /** Who pushed it, when that is known. */
  readonly user?: string;
}

/** What an operator fixed a tag to by command. */
export interface Pin {
  readonly digest: Digest;
  readonly note?: string;
  /** In milliseconds since the epoch. */
  readonly pinnedAt: number;
}

/** That a tag means a digest, as it was just seen. */
export type SeenTag = Pick<Sighting, 'view' | 'digest' | 'by' | 'user'> & { readonly at: number };

/** How exactly it is known when a tag was last confirmed, so that not every question to a registry is a write. */
const PRECISION = 60_000;

/**
 * What is to be recorded of a tag that was just seen; undefined when the history says it already. A digest that is new counts as seen
 * after all that is known of the tag, so that a clock that was set back makes nothing look older than it is.
 */
export function sight(history: readonly Sighting[], { at, ...seen }: SeenTag): Sighting | undefined {
  const inView = history.filter(({ view }) => view === seen.view);
  const known = inView.find(({ digest }) => digest === seen.digest);
  const lastTurn = Math.max(0, ...inView.map(({ turn }) => turn));
  const moved = known?.turn !== lastTurn;
  if (known === undefined) {
    const latest = Math.max(...history.flatMap(({ firstSeen, confirmed }) => [firstSeen + 1, confirmed + 1]));
    const firstSeen = Math.max(at, latest);
    return { ...seen, turn: lastTurn + 1, firstSeen, confirmed: firstSeen };
  }
  if (!moved && seen.by === 'pull') {
    return at - known.confirmed < PRECISION ? undefined : { ...known, confirmed: at };
  }
  const { firstSeen } = known;
  return { ...seen, turn: moved ? lastTurn + 1 : lastTurn, firstSeen, confirmed: Math.max(at, known.confirmed) };
}

/** The view of clients that accept every type: what they get is what the tag means. */
const EVERY_TYPE = 'all';

/** What the tag means and meant to the kind of request that tells most of it, the latest first. */
export function leadingSightings(history: readonly Sighting[]): readonly Sighting[] {
  const [latest] = history.toSorted((a, b) => b.confirmed - a.confirmed);
  const view = history.some((sighting) => sighting.view === EVERY_TYPE) ? EVERY_TYPE : latest?.view;
  return history.filter((sighting) => sighting.view === view).toSorted((a, b) => b.turn - a.turn);
}

/** What the tag meant before it meant this digest; undefined when that is not known. */
export function digestBefore(history: readonly Sighting[], digest: Digest): Digest | undefined {
  const sightings = leadingSightings(history);
  const at = sightings.findIndex((sighting) => sighting.digest === digest);
  return at < 0 ? undefined : sightings[at + 1]?.digest;
}

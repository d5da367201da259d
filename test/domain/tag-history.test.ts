import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewOf } from '../../src/domain/accept.ts';
import { type Digest, digestOf } from '../../src/domain/digest.ts';
import { MANIFEST_TYPES, OCI_MANIFEST } from '../../src/domain/media-type.ts';
import { digestBefore, leadingSightings, type SeenTag, type Sighting, sight } from '../../src/domain/tag-history.ts';

const every = viewOf(MANIFEST_TYPES);
const images = viewOf([OCI_MANIFEST]);
const [a, b, c] = ['a', 'b', 'c'].map((text) => digestOf(Buffer.from(text))) as [Digest, Digest, Digest];
const MINUTE = 60_000;

const pulled = (digest: Digest, at: number, view = every): SeenTag => ({ view, digest, at, by: 'pull' });

/** The history after a tag was seen like this, one after the other. */
function historyOf(...seen: readonly SeenTag[]): readonly Sighting[] {
  return seen.reduce<readonly Sighting[]>((history, one) => {
    const noted = sight(history, one);
    const others = history.filter(({ view, digest }) => view !== noted?.view || digest !== noted.digest);
    return noted === undefined ? history : [...others, noted];
  }, []);
}

describe('a tag that is seen', () => {
  it('is recorded with the time at which it was first seen to mean a digest, and last', () => {
    expect(historyOf(pulled(a, 5), pulled(a, 5 + MINUTE))).toEqual([
      { view: every, digest: a, turn: 1, firstSeen: 5, confirmed: 5 + MINUTE, by: 'pull' },
    ]);
  });

  it('is not recorded again within a minute when it did not move', () => {
    const history = historyOf(pulled(a, 5));
    expect(sight(history, pulled(a, 4 + MINUTE))).toBeUndefined();
    expect(sight(history, pulled(a, 5 - MINUTE))).toBeUndefined();
    expect(sight(history, { ...pulled(a, 6), by: 'push', user: 'ann' })).toMatchObject({
      turn: 1,
      by: 'push',
      user: 'ann',
    });
  });

  it('keeps the first time of a digest to which it comes back, and counts it as a move', () => {
    const history = historyOf(pulled(a, 1), pulled(b, 2 * MINUTE), pulled(a, 3 * MINUTE));
    expect(leadingSightings(history)).toMatchObject([
      { digest: a, turn: 3, firstSeen: 1, confirmed: 3 * MINUTE },
      { digest: b, turn: 2 },
    ]);
  });

  it('says who pushed it until it moves', () => {
    const history = historyOf(
      { ...pulled(a, 1), by: 'push', user: 'ann' },
      pulled(a, 9 * MINUTE),
      pulled(b, 10 * MINUTE),
    );
    expect(history).toMatchObject([
      { digest: a, by: 'push', user: 'ann', confirmed: 9 * MINUTE },
      { digest: b, by: 'pull' },
    ]);
    expect(history[1]).not.toHaveProperty('user');
  });

  it('moves in one view without moving in another', () => {
    expect(historyOf(pulled(a, 1), pulled(b, 2, images)).map(({ turn }) => turn)).toEqual([1, 1]);
  });

  it('is never first seen before what is known of it already, wherever the clock goes', () => {
    const anyTime = fc.array(
      fc.record({ at: fc.nat(), digest: fc.constantFrom(a, b, c), view: fc.constantFrom(every, images) }),
    );
    fc.assert(
      fc.property(anyTime, (events) => {
        let history: readonly Sighting[] = [];
        for (const { at, digest, view } of events) {
          const noted = sight(history, pulled(digest, at, view));
          if (noted === undefined) continue;
          const isNew = !history.some((one) => one.view === view && one.digest === digest);
          const times = history.map(({ firstSeen }) => firstSeen);
          if (isNew) expect(noted.firstSeen).toBeGreaterThan(Math.max(-1, ...times));
          expect(noted.confirmed).toBeGreaterThanOrEqual(noted.firstSeen);
          history = [...history.filter((one) => one.view !== view || one.digest !== digest), noted];
        }
      }),
    );
  });
});

describe('the digest before', () => {
  it('is what the tag meant before it moved there, for clients that accept every type if there were any', () => {
    const history = historyOf(pulled(a, 1), pulled(b, 2), pulled(c, 3, images));
    expect(digestBefore(history, b)).toBe(a);
    expect(digestBefore(history, a)).toBeUndefined();
    expect(digestBefore(history, c)).toBeUndefined();
  });

  it('is that of the view that was confirmed last when no client accepted every type', () => {
    const others = viewOf([]);
    const history = historyOf(pulled(a, 1, images), pulled(b, 2, others), pulled(c, 3, others));
    expect(digestBefore(history, c)).toBe(b);
    expect(leadingSightings([])).toEqual([]);
  });
});

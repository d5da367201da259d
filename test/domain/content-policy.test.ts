import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewOf } from '../../src/domain/accept.ts';
import {
  type ContentRules,
  compileContentPolicy,
  judgeCoolDown,
  NO_CONTENT_RULES,
} from '../../src/domain/content-policy.ts';
import { type Digest, digestOf } from '../../src/domain/digest.ts';
import { MANIFEST_TYPES, OCI_MANIFEST } from '../../src/domain/media-type.ts';
import { parseTag, type Tag } from '../../src/domain/reference.ts';
import { type Sighting, sight } from '../../src/domain/tag-history.ts';
import { repositoriesNamed, tagsNamed } from '../support/content-rules.ts';
import { repositoryName } from '../support/views.ts';

const every = viewOf(MANIFEST_TYPES);
const images = viewOf([OCI_MANIFEST]);
const digestNamed = (text: string): Digest => digestOf(Buffer.from(text));
const [a, b, c] = ['a', 'b', 'c'].map(digestNamed) as [Digest, Digest, Digest];
const tag = (text: string): Tag => parseTag(text) ?? expect.unreachable(text);
const app = repositoryName('team/app');
const latest = tag('latest');

function policyOf(rules: Partial<ContentRules>) {
  return compileContentPolicy({ ...NO_CONTENT_RULES, ...rules }) ?? expect.unreachable('there are rules');
}

describe('a policy on content', () => {
  it('is nothing at all without rules', () => {
    expect(compileContentPolicy(NO_CONTENT_RULES)).toBeUndefined();
  });

  it('pins a tag to the digest of the first rule that matches', () => {
    const policy = policyOf({
      pins: [
        { repository: repositoriesNamed('team/*'), tag: tagsNamed('1.*'), digest: a },
        { repository: repositoriesNamed('**'), tag: tagsNamed('*'), digest: b },
      ],
    });
    expect(policy.pinOf(app, tag('1.2'))).toBe(a);
    expect(policy.pinOf(app, latest)).toBe(b);
    expect(
      policyOf({ pins: [{ repository: repositoriesNamed('other'), tag: tagsNamed('*'), digest: a }] }).pinOf(
        app,
        latest,
      ),
    ).toBeUndefined();
  });

  it('cools tags down by the first rule that matches', () => {
    const rule = {
      repositories: [repositoriesNamed('team/**')],
      tags: [tagsNamed('latest')],
      age: 1,
      unknown: 'serve',
    } as const;
    const policy = policyOf({ coolDown: [rule, { ...rule, tags: [tagsNamed('*')], age: 2 }] });
    expect(policy.coolDownOf(app, latest)?.age).toBe(1);
    expect(policy.coolDownOf(app, tag('edge'))?.age).toBe(2);
    expect(policy.coolDownOf(repositoryName('alpine'), latest)).toBeUndefined();
  });

  it('denies the tags and the digests of a rule, or, where it names neither, all of its repositories', () => {
    const rule = { repositories: [repositoriesNamed('team/**')], tags: [], digests: [], message: 'no' };
    const named = policyOf({ deny: [{ ...rule, tags: [tagsNamed('latest')], digests: [a] }] });
    expect(named.denial(app, { tag: latest })).toBe('no');
    expect(named.denial(app, { tag: tag('1'), digests: [b, a] })).toBe('no');
    expect(named.denial(app, { tag: tag('1'), digests: [b] })).toBeUndefined();
    expect(named.denial(app, {})).toBeUndefined();
    expect(named.denial(repositoryName('alpine'), { tag: latest, digests: [a] })).toBeUndefined();
    const all = policyOf({
      deny: [
        { ...rule, message: 'first' },
        { ...rule, message: 'second' },
      ],
    });
    expect(all.denial(app, {})).toBe('first');
  });
});

const sighting = (digest: Digest, turn: number, firstSeen: number, view = every): Sighting => ({
  view,
  digest,
  turn,
  firstSeen,
  confirmed: firstSeen,
  by: 'pull',
});

describe('a tag that cools down', () => {
  const rule = { age: 100, unknown: 'serve' } as const;
  const refusing = { age: 100, unknown: 'refuse' } as const;
  const moved = [sighting(a, 1, 0), sighting(b, 2, 500)];

  it('is served as before until the new digest is old enough', () => {
    expect(judgeCoolDown(moved, every, b, 599, rule)).toEqual({ kind: 'hold', digest: a, until: 600 });
    expect(judgeCoolDown(moved, every, b, 600, rule)).toEqual({ kind: 'serve' });
  });

  it('is served with the last digest that is old enough', () => {
    const history = [...moved, sighting(c, 3, 700)];
    expect(judgeCoolDown(history, every, c, 701, rule)).toEqual({ kind: 'hold', digest: b, until: 800 });
  });

  it('is served at once when it comes back to a digest that is old enough, in whatever view that was seen', () => {
    expect(judgeCoolDown([sighting(b, 2, 500), sighting(a, 3, 0)], every, a, 501, rule)).toEqual({ kind: 'serve' });
    expect(judgeCoolDown([sighting(a, 1, 0, images)], every, a, 501, rule)).toEqual({ kind: 'serve' });
  });

  it('stands still with what is known longest while nothing is old enough', () => {
    const young = [sighting(a, 1, 500), sighting(b, 2, 510), sighting(c, 3, 520)];
    expect(judgeCoolDown(young, every, c, 530, rule)).toEqual({ kind: 'hold', digest: a, until: 620 });
    expect(judgeCoolDown(young, every, a, 530, rule)).toEqual({ kind: 'serve' });
  });

  it('is served the first time that it is seen, or refused when the operator wants that', () => {
    expect(judgeCoolDown([], every, a, 7, rule)).toEqual({ kind: 'serve' });
    expect(judgeCoolDown([], every, a, 7, refusing)).toEqual({ kind: 'refuse', until: 107 });
    expect(judgeCoolDown([sighting(a, 1, 5)], every, a, 7, refusing)).toEqual({ kind: 'refuse', until: 105 });
    expect(judgeCoolDown(moved, every, b, 599, refusing)).toMatchObject({ kind: 'hold', digest: a });
  });

  it('is served with what another view was given only where that is given the same now', () => {
    const others = [sighting(a, 1, 0, images), sighting(b, 2, 500, images)];
    expect(judgeCoolDown(others, every, c, 599, rule)).toEqual({ kind: 'serve' });
    expect(judgeCoolDown(others, every, b, 599, rule)).toMatchObject({ kind: 'hold', digest: a });
    const own = [...others, sighting(c, 1, 10), sighting(b, 2, 500)];
    expect(judgeCoolDown(own, every, b, 599, rule)).toMatchObject({ kind: 'hold', digest: c });
  });

  it('is held back also before its move was recorded, and while the clock is set back', () => {
    expect(judgeCoolDown([sighting(a, 1, 0)], every, b, 599, rule)).toEqual({ kind: 'hold', digest: a, until: 699 });
    expect(judgeCoolDown([sighting(a, 1, 900)], every, b, 599, rule)).toMatchObject({ kind: 'hold', digest: a });
    expect(judgeCoolDown(moved, every, b, 10, rule)).toMatchObject({ kind: 'hold', digest: a, until: 600 });
  });

  /** A tag that moves at times of a clock that may be set back, and the rule. */
  const histories = fc
    .record({
      moves: fc.array(fc.record({ digest: fc.integer({ min: 0, max: 5 }), at: fc.integer({ min: 0, max: 1_000 }) }), {
        minLength: 1,
        maxLength: 12,
      }),
      age: fc.integer({ min: 1, max: 400 }),
      unknown: fc.constantFrom('serve' as const, 'refuse' as const),
    })
    .map(({ moves, ...chosen }) => {
      let history: readonly Sighting[] = [];
      let current = a;
      for (const { digest: number, at } of moves) {
        current = digestNamed(`digest ${number}`);
        const noted = sight(history, { view: every, digest: current, at, by: 'pull' });
        if (noted !== undefined) history = [...history.filter(({ digest }) => digest !== current), noted];
      }
      return { history, current, rule: chosen };
    });

  const served = (verdict: ReturnType<typeof judgeCoolDown>, current: Digest): Digest | undefined =>
    verdict.kind === 'serve' ? current : verdict.kind === 'hold' ? verdict.digest : undefined;

  it('never goes back in its history as time goes on, and ends with what it means', () => {
    fc.assert(
      fc.property(
        histories,
        fc.array(fc.integer({ min: 0, max: 3_000 })),
        ({ history, current, rule: drawn }, times) => {
          const turns = [...times.toSorted((x, y) => x - y), 1e6].map((now) => {
            const digest = served(judgeCoolDown(history, every, current, now, drawn), current);
            return history.find((one) => one.digest === digest)?.turn ?? 0;
          });
          expect(turns).toEqual(turns.toSorted((x, y) => x - y));
          expect(turns.at(-1)).toBe(history.find(({ digest }) => digest === current)?.turn);
        },
      ),
    );
  });

  it('never serves what is younger while it has something old enough', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 0, max: 2_000 }), ({ history, current, rule: drawn }, now) => {
        const digest = served(judgeCoolDown(history, every, current, now, drawn), current);
        const isOld = ({ firstSeen }: Sighting) => now - firstSeen >= drawn.age;
        const chosen = history.find((one) => one.digest === digest);
        if (history.some(isOld)) expect(chosen !== undefined && isOld(chosen)).toBe(true);
        else if (drawn.unknown === 'refuse') expect(digest).toBeUndefined();
      }),
    );
  });

  it('is judged the same again when what it is served with is what it means', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 0, max: 2_000 }), ({ history, current, rule: drawn }, now) => {
        const verdict = judgeCoolDown(history, every, current, now, drawn);
        if (verdict.kind === 'hold')
          expect(judgeCoolDown(history, every, verdict.digest, now, drawn)).toEqual({ kind: 'serve' });
      }),
    );
  });
});

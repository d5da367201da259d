import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { createUsage, type Usage, type UsageRecords } from '../../src/admin/usage.ts';
import { addUsage, dayOf, formatDay, NO_USAGE, type UsageBreakdown, type UsageRow } from '../../src/domain/usage.ts';
import { createManualClock, type ManualClock } from '../store/support/manual-clock.ts';
import { finishedRequest } from './records.ts';

const MIDNIGHT = Date.UTC(2026, 10, 27);
const DAY = 86_400_000;

interface FakeRecords extends UsageRecords {
  readonly rows: Map<string, UsageRow>;
  writes: number;
  broken: boolean;
}

function fakeRecords(): FakeRecords {
  const rows = new Map<string, UsageRow>();
  const keyOf = ({ day, endpoint, subject, name }: Pick<UsageRow, 'day' | 'endpoint' | 'subject' | 'name'>) =>
    JSON.stringify([day, endpoint, subject, name]);
  return {
    rows,
    writes: 0,
    broken: false,
    ofDay: (wanted) => [...rows.values()].filter(({ day }) => day === wanted),
    answering: ({ since, endpoint, by }) =>
      [...rows.values()].filter(
        (row) =>
          row.day >= since &&
          row.subject === (by === 'user' ? 'user' : 'repository') &&
          (endpoint === undefined || row.endpoint === endpoint),
      ),
    write(changed, gone) {
      if (this.broken) return false;
      this.writes += 1;
      for (const key of gone) rows.delete(keyOf(key));
      for (const row of changed) rows.set(keyOf(row), row);
      return true;
    },
    forgetBefore(first) {
      for (const [key, { day }] of rows) if (day < first) rows.delete(key);
    },
  };
}

let clock: ManualClock;
let records: FakeRecords;
let usage: Usage;

beforeEach(() => {
  clock = createManualClock(MIDNIGHT + 3_600_000);
  records = fakeRecords();
  usage = createUsage(records, clock, { keep: 90 * DAY, top: 100 });
});

const request = (repository: string, overrides = {}) =>
  usage.requestFinished(finishedRequest({ repository, cache: undefined, ...overrides }));
const linesBy = (by: UsageBreakdown, since = 0, endpoint?: string) => usage.report({ since, endpoint, by }).lines;
const namesBy = (by: UsageBreakdown) => linesBy(by).map(({ name, requests }) => [name, requests]);

describe('usage', () => {
  it('counts requests, bytes, hits, what was saved and what registries were asked', () => {
    request('app', { bytesSent: 100 });
    request('app', { bytesSent: 30, cache: 'hit' });
    request('app', { bytesSent: 20, cache: 'stale' });
    request('app', { bytesSent: 10, cache: 'miss' });
    usage.spent('default', 'app', 1, 0);
    usage.spent('default', 'app', 0, 500);
    expect(linesBy('day')).toEqual([
      {
        ...{ endpoint: 'default', name: '2026-11-27', requests: 4, bytes: 160, hits: 2, savedBytes: 50 },
        ...{ upstreamRequests: 1, upstreamBytes: 500 },
      },
    ]);
  });

  it('is told apart by endpoint, repository and user', () => {
    request('app', { user: 'bob' });
    request('app', { user: 'ann' });
    request('web', { user: 'bob', endpoint: 'team' });
    expect(linesBy('repository').map(({ endpoint, name, requests }) => [endpoint, name, requests])).toEqual([
      ['default', 'app', 2],
      ['team', 'web', 1],
    ]);
    expect(linesBy('user', 0, 'default').map(({ name, requests }) => [name, requests])).toEqual([
      ['ann', 1],
      ['bob', 1],
    ]);
  });

  it('books what nobody was served on no repository, because clients can make up names', () => {
    request('made-up', { status: 404 });
    request('secret', { status: 401 });
    expect(namesBy('repository')).toEqual([['', 2]]);
  });

  it('is written a few seconds after it was counted, once for all that came until then', () => {
    request('app');
    request('app');
    expect(records.writes).toBe(0);
    clock.advance(5_000);
    expect([records.writes, namesBy('repository')]).toEqual([1, [['app', 2]]]);
    clock.advance(60_000);
    expect(records.writes).toBe(1);
  });

  it('stays counted while the database fails', () => {
    records.broken = true;
    request('app');
    clock.advance(5_000);
    records.broken = false;
    request('app');
    clock.advance(5_000);
    expect(namesBy('repository')).toEqual([['app', 2]]);
  });

  it('goes on with the day after a restart', () => {
    request('app');
    usage.flush();
    usage = createUsage(records, clock, { keep: 90 * DAY, top: 100 });
    request('app');
    expect(namesBy('repository')).toEqual([['app', 2]]);
  });

  it('begins a new day at midnight in UTC, and forgets the first one when it has enough of them', () => {
    usage.configure({ keep: 3 * DAY, top: 100 });
    for (let day = 0; day < 5; day += 1) {
      request('app');
      clock.advance(DAY);
    }
    request('app');
    expect(linesBy('day').map(({ name }) => name)).toEqual(['2026-11-30', '2026-12-01', '2026-12-02']);
    usage.configure({ keep: DAY, top: 100 });
    expect(linesBy('day').map(({ name }) => name)).toEqual(['2026-12-02']);
  });

  it('goes on with a day to which the clock was set back', () => {
    clock.advance(-7_200_000);
    request('app');
    clock.advance(7_200_000);
    request('app');
    clock.advance(-7_200_000);
    request('app');
    expect(linesBy('day').map(({ name, requests }) => [name, requests])).toEqual([
      ['2026-11-26', 2],
      ['2026-11-27', 1],
    ]);
  });
});

describe('names beyond those that are told apart', () => {
  beforeEach(() => {
    usage.configure({ keep: 90 * DAY, top: 2 });
  });

  it('are added up, and those that used most keep their lines', () => {
    for (let at = 0; at < 50; at += 1) {
      request('often', { bytesSent: 1_000 });
      request('much', { bytesSent: 900 });
      request(`once-${at}`, { bytesSent: 1 });
    }
    clock.advance(DAY);
    request('tomorrow');
    const of = linesBy('repository').filter(({ name }) => name !== 'tomorrow');
    expect(of.map(({ name, requests }) => [name, requests])).toEqual([
      ['often', 50],
      ['much', 50],
      ['(others)', 50],
    ]);
  });

  it('take no more rows than twice as many and two, at any time, and nothing goes uncounted', () => {
    const happening = fc.record({
      repository: fc.integer({ min: 0, max: 30 }).map((at) => `app-${at}`),
      user: fc.integer({ min: 0, max: 30 }).map((at) => `user-${at}`),
      bytesSent: fc.nat(1_000),
      status: fc.constantFrom(200, 404),
      cache: fc.constantFrom('hit', 'miss', undefined),
      pause: fc.constantFrom(0, 5_000, 3_600_000),
    });
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 200 }), (all) => {
        clock = createManualClock(MIDNIGHT);
        records = fakeRecords();
        usage = createUsage(records, clock, { keep: 900 * DAY, top: 2 });
        let expected = NO_USAGE;
        for (const { pause, ...one } of all) {
          clock.advance(pause);
          usage.requestFinished(finishedRequest(one));
          const saved = one.cache === 'hit' ? { hits: 1, savedBytes: one.bytesSent } : {};
          expected = addUsage(expected, { ...NO_USAGE, requests: 1, bytes: one.bytesSent, ...saved });
        }
        for (const by of ['day', 'repository', 'user'] as const) {
          expect(usage.report({ since: 0, endpoint: undefined, by }).total).toEqual(expected);
        }
        const perDay = Map.groupBy(records.rows.values(), ({ day, subject }) => `${formatDay(day)} ${subject}`);
        expect(Math.max(0, ...[...perDay.values()].map(({ length }) => length))).toBeLessThanOrEqual(2 * 2 + 2);
        expect([...records.rows.values()].every(({ day }) => day >= dayOf(MIDNIGHT))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

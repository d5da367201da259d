import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addUsage,
  byUsage,
  dayOf,
  formatDay,
  isUsageBreakdown,
  NO_USAGE,
  reportUsage,
  subjectOf,
  type UsageRow,
} from '../../src/domain/usage.ts';

const DAY = Date.UTC(2026, 10, 27) / 86_400_000;

function row(day: number, endpoint: string, name: string, requests: number, bytes = 0): UsageRow {
  return { ...NO_USAGE, day, endpoint, subject: 'repository', name, requests, bytes };
}

describe('a report of what was used', () => {
  it('by day adds up the names of each endpoint, in the order of days', () => {
    const rows = [
      row(DAY, 'b', 'app', 1),
      row(DAY, 'a', 'app', 2),
      row(DAY, 'a', 'web', 3),
      row(DAY - 1, 'a', 'app', 4),
    ];
    expect(reportUsage(rows, { since: DAY - 7, endpoint: undefined, by: 'day' }, DAY)).toEqual({
      since: '2026-11-20',
      until: '2026-11-27',
      timeZone: 'UTC',
      by: 'day',
      lines: [
        { ...NO_USAGE, endpoint: 'a', name: '2026-11-26', requests: 4 },
        { ...NO_USAGE, endpoint: 'a', name: '2026-11-27', requests: 5 },
        { ...NO_USAGE, endpoint: 'b', name: '2026-11-27', requests: 1 },
      ],
      total: { ...NO_USAGE, requests: 10 },
    });
  });

  it('by repository adds up days and begins with the largest', () => {
    const rows = [
      row(DAY - 1, 'a', 'small', 9, 1),
      row(DAY, 'a', 'large', 1, 5),
      row(DAY - 1, 'a', 'large', 1, 6),
      row(DAY, 'b', 'small', 9, 1),
      row(DAY, 'a', 'tiny', 9, 1),
    ];
    const { lines } = reportUsage(rows, { since: DAY, endpoint: undefined, by: 'repository' }, DAY);
    expect(lines.map(({ endpoint, name, bytes }) => [endpoint, name, bytes])).toEqual([
      ['a', 'large', 11],
      ['a', 'small', 1],
      ['a', 'tiny', 1],
      ['b', 'small', 1],
    ]);
  });

  it('has the sum of its lines as its total, however they are told apart', () => {
    const figure = fc.nat(1_000_000);
    const rows = fc.array(
      fc.record({
        day: fc.integer({ min: DAY - 3, max: DAY }),
        endpoint: fc.constantFrom('a', 'b', ''),
        subject: fc.constant('repository' as const),
        name: fc.constantFrom('app', 'web', '', '(others)'),
        ...{ requests: figure, bytes: figure, hits: figure, savedBytes: figure },
        ...{ upstreamRequests: figure, upstreamBytes: figure },
      }),
    );
    fc.assert(
      fc.property(rows, fc.constantFrom('day', 'repository', 'user'), (given, by) => {
        const { lines, total } = reportUsage(given, { since: DAY, endpoint: undefined, by }, DAY);
        expect(lines.reduce(addUsage, NO_USAGE)).toEqual(total);
        expect(given.reduce(addUsage, NO_USAGE)).toEqual(total);
      }),
    );
  });
});

describe('what used most', () => {
  it('is what got most bytes, and of equals what asked most', () => {
    const [idle, busy, large] = [row(0, '', '', 1), row(0, '', '', 2), row(0, '', '', 1, 9)] as const;
    expect([idle, busy, large].sort(byUsage)).toEqual([large, busy, idle]);
  });
});

describe('days', () => {
  it('begin at midnight in UTC', () => {
    expect(formatDay(dayOf(Date.UTC(2026, 10, 26, 23, 59, 59, 999)))).toBe('2026-11-26');
    expect(formatDay(dayOf(Date.UTC(2026, 10, 27)))).toBe('2026-11-27');
  });
});

describe('a breakdown', () => {
  it('is by day, repository or user; only users need rows of their own', () => {
    expect(['day', 'repository', 'user', 'week', 'toString'].filter(isUsageBreakdown)).toEqual([
      'day',
      'repository',
      'user',
    ]);
    expect([subjectOf('day'), subjectOf('repository'), subjectOf('user')]).toEqual([
      'repository',
      'repository',
      'user',
    ]);
  });
});

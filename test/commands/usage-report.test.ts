import { describe, expect, it } from 'vitest';
import { formatUsage, usageAsCsv } from '../../src/commands/usage-report.ts';
import { addUsage, NO_USAGE, type UsageBreakdown, type UsageLine, type UsageReport } from '../../src/domain/usage.ts';

const line = (endpoint: string, name: string, figures: Partial<UsageLine> = {}): UsageLine => ({
  ...NO_USAGE,
  endpoint,
  name,
  ...figures,
});

function report(by: UsageBreakdown, lines: readonly UsageLine[]): UsageReport {
  const total = lines.reduce(addUsage, NO_USAGE);
  return { since: '2026-11-20', until: '2026-11-27', timeZone: 'UTC', by, lines, total };
}

describe('the table of usage', () => {
  it('compares lines by bars and ends with the sum', () => {
    const lines = [
      line('team', '2026-11-26', {
        ...{ requests: 1_200, bytes: 2 ** 30, hits: 900, savedBytes: 2 ** 29 },
        ...{ upstreamRequests: 300, upstreamBytes: 2 ** 29 },
      }),
      line('team', '2026-11-27', { requests: 4, bytes: 2 ** 20 }),
      line('', '2026-11-27', { requests: 2 }),
    ];
    expect(formatUsage(report('day', lines)).split('\n')).toEqual([
      '2026-11-20 to 2026-11-27, days in UTC',
      '',
      'endpoint  day         requests   sent  hits    saved  to registry  registry bytes',
      'team      2026-11-26     1,200  1 GiB   75%  512 MiB          300         512 MiB  ████████████████████',
      'team      2026-11-27         4  1 MiB    0%      0 B            0             0 B  ▏',
      '-         2026-11-27         2    0 B    0%      0 B            0             0 B',
      'total                    1,206  1 GiB   74%  512 MiB          300         512 MiB',
    ]);
  });

  it('shows the first thirty repositories and says how many more there are', () => {
    const lines = Array.from({ length: 33 }, (_, at) => line('team', `app-${at}`, { bytes: 100 - at }));
    const text = formatUsage(report('repository', lines));
    expect(text).toContain('app-29');
    expect(text).not.toContain('app-30');
    expect(text).toMatch(/\n3 more; --json and --csv have all$/);
  });

  it('tells nothing of registries by user, because what went there is booked on none', () => {
    const lines = [line('team', 'bob', { requests: 1, bytes: 2, hits: 1, savedBytes: 2 })];
    expect(formatUsage(report('user', lines)).split('\n').slice(2)).toEqual([
      'endpoint  user  requests  sent  hits  saved',
      'team      bob          1   2 B  100%    2 B  ████████████████████',
      'total                  1   2 B  100%    2 B',
    ]);
  });

  it('says that there is nothing', () => {
    expect(formatUsage(report('user', []))).toBe('nothing was used from 2026-11-20 to 2026-11-27, days in UTC');
  });
});

describe('the CSV of usage', () => {
  it('has all lines, with names quoted where they need it', () => {
    const lines = [line('team', 'app', { requests: 1, bytes: 2, hits: 3 }), line('team', 'a,"b"\nc')];
    expect(usageAsCsv(report('user', lines))).toBe(
      [
        'endpoint,user,requests,bytes,hits,saved_bytes,upstream_requests,upstream_bytes',
        'team,app,1,2,3,0,0,0',
        'team,"a,""b""\nc",0,0,0,0,0,0',
      ].join('\r\n'),
    );
  });

  it.each(['=HYPERLINK("http://evil.test")', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1'])(
    'is no formula for whoever calls himself %j',
    (name) => {
      const [, row = ''] = usageAsCsv(report('user', [line('team', name)])).split(/\r\n/);
      expect(row).toMatch(/^team,"?'/);
    },
  );
});

import { describe, expect, it } from 'vitest';
import { summarize } from '../../src/config/summary.ts';
import { loadValid, mistakesIn, SMALLEST } from './support.ts';

const HUB = 'https://registry.example.com';

describe('the limits of an endpoint', () => {
  it('are sizes, rates and numbers, and are told in the summary', async () => {
    const limits = `{ quota: 20GiB, requests: 50/s, burst: 200, bandwidth: 100MiB, fills: "8", upload: 10GiB, perUser: { requests: 1000/h, fills: 2 } }`;
    const config = await loadValid({
      file: `{ upstreams: { hub: { url: '${HUB}' } }, endpoints: [{ limits: ${limits} }] }`,
    });
    expect(config.endpoints).toMatchObject([
      {
        limits: {
          quota: 20 * 1024 ** 3,
          requests: { requests: 50, per: 's' },
          burst: 200,
          bandwidth: 100 * 1024 ** 2,
          fills: 8,
          upload: 10 * 1024 ** 3,
          perUser: { requests: { requests: 1000, per: 'h' }, fills: 2 },
        },
      },
    ]);
    expect(summarize(config, [])).toContain(
      'limits: quota 20GiB, requests 50/s, burst 200, bandwidth 100MiB/s, fills 8, upload 10GiB, for each user requests 1000/h, fills 2',
    );
    expect(summarize(await loadValid({ file: SMALLEST }), [])).not.toContain('limits');
  });

  it('have mistakes with their paths', async () => {
    const limits = {
      quota: 5,
      requests: '50',
      burst: 0,
      bandwidth: '0B',
      fills: -1,
      upload: '10GB',
      perUser: { requests: '1/d', quota: '1GiB' },
    };
    expect(await mistakesIn({ file: { ...SMALLEST, endpoints: [{ limits }] } })).toEqual([
      'endpoints[0].limits.quota: expected a size such as 64MiB or 50GiB, got 5',
      'endpoints[0].limits.requests: expected a number of requests such as 50/s, 3000/m or 1000/h, got "50"',
      'endpoints[0].limits.burst: expected a whole number from 1 on, got 0',
      'endpoints[0].limits.bandwidth: expected a size of at least 1KiB, such as 100MiB, got "0B"',
      'endpoints[0].limits.fills: expected a whole number from 1 on, got -1',
      'endpoints[0].limits.upload: expected a size such as 64MiB or 50GiB, got "10GB"',
      'endpoints[0].limits.perUser.requests: expected a number of requests such as 50/s, 3000/m or 1000/h, got "1/d"',
      'endpoints[0].limits.perUser.quota: unknown key; did you mean "endpoints[].limits.quota"?',
    ]);
  });

  it('have a burst of nothing but requests', async () => {
    const limits = { burst: 5, perUser: { burst: 5 } };
    expect(await mistakesIn({ file: { ...SMALLEST, endpoints: [{}, { name: 'b', host: 'b', limits }] } })).toEqual([
      'endpoints[1].limits.burst: limits nothing without requests beside it',
      'endpoints[1].limits.perUser.burst: limits nothing without requests beside it',
    ]);
  });
});

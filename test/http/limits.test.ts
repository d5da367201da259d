import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import { headerValue } from '../../src/domain/headers.ts';
import type { EndpointLimits } from '../../src/domain/limits.ts';
import { createLimits } from '../../src/http/limits.ts';
import type { Limiter } from '../../src/pipeline/ports-limits.ts';
import { createManualClock } from '../store/support/manual-clock.ts';

const { signal } = new AbortController();

function limitsOf(limits: Partial<EndpointLimits>) {
  const clock = createManualClock();
  const all = createLimits(clock);
  const use = (next: Partial<EndpointLimits>) => all.of('team', { perUser: {}, ...next });
  const limiter = use(limits);
  if (limiter === undefined) throw new Error('nothing is limited');
  return { clock, all, use, limiter };
}

/** How many of so many requests are answered. */
function admitted(limiter: Limiter, client: string, count: number): number {
  return Array.from({ length: count }, () => limiter.admit(client)).filter((refusal) => refusal === undefined).length;
}

describe('the limits of an endpoint', () => {
  it('are nothing where nothing is limited, and a quota is nothing that a request meets', () => {
    expect(createLimits().of('team', { perUser: {} })).toBeUndefined();
    expect(createLimits().of('team', { quota: 1, perUser: {} })).toBeUndefined();
  });

  it('let as many requests come as they say, and tell the others when to come back', () => {
    const { clock, limiter, all } = limitsOf({ requests: { requests: 6, per: 'm' }, burst: 3 });
    expect(admitted(limiter, 'bob', 5)).toBe(3);
    const refusal = limiter.admit('ann');
    expect(refusal).toBeInstanceOf(RegistryError);
    expect(refusal).toMatchObject({ code: 'TOOMANYREQUESTS', status: 429 });
    expect(headerValue(refusal?.headers ?? [], 'Retry-After')).toBe('10');
    expect(refusal?.explanation).toBe(
      'The endpoint "team" answers 6 requests a minute (endpoints[].limits.requests), and more came. Try again in 10 s.',
    );
    clock.advance(20_000);
    expect(admitted(limiter, 'ann', 5)).toBe(2);
    expect(all.limited()).toEqual([{ endpoint: 'team', limit: 'requests', count: 6 }]);
  });

  it('hold each user to his own, so that one who floods leaves the rest to the others', () => {
    const { limiter, all } = limitsOf({
      requests: { requests: 10, per: 's' },
      perUser: { requests: { requests: 3, per: 's' } },
    });
    expect(admitted(limiter, 'flood', 1_000)).toBe(3);
    expect(admitted(limiter, 'bob', 3)).toBe(3);
    expect(admitted(limiter, 'ann', 3)).toBe(3);
    expect(limiter.admit('flood')?.explanation).toContain(
      '3 requests a second for each user (endpoints[].limits.perUser.requests)',
    );
    expect(admitted(limiter, 'eve', 3)).toBe(1);
    expect(all.limited()).toEqual([
      { endpoint: 'team', limit: 'perUser.requests', count: 998 },
      { endpoint: 'team', limit: 'requests', count: 2 },
    ]);
  });

  it('hold requests for tokens to the same rate, and take nothing from the others for them', () => {
    const requests = { requests: 2, per: 'm' } as const;
    const { clock, limiter, use, all } = limitsOf({ requests: { ...requests, requests: 3 }, perUser: { requests } });
    const tokens = (client: string) => [1, 2, 3].map(() => limiter.admitToken(client)?.status);
    expect(tokens('bob')).toEqual([undefined, undefined, 429]);
    expect(tokens('ann')).toEqual([undefined, 429, 429]);
    expect(admitted(limiter, 'bob', 3)).toBe(2);
    expect(all.limited()).toContainEqual({ endpoint: 'team', limit: 'perUser.requests', count: 2 });
    use({ perUser: { requests: { requests: 600, per: 'm' } } });
    clock.advance(100);
    expect(tokens('bob')).toEqual([undefined, 429, 429]);
  });

  it('keep count of a bounded number of users', () => {
    const { limiter } = limitsOf({ perUser: { requests: { requests: 1, per: 'h' } } });
    expect(admitted(limiter, 'bob', 2)).toBe(1);
    for (let index = 0; index < 10_000; index += 1) limiter.admit(`other ${index}`);
    expect(admitted(limiter, 'bob', 2)).toBe(1);
    expect(admitted(limiter, 'other 9999', 1)).toBe(0);
  });

  it('count answers that are ready, and send those the long way that would have to wait', () => {
    const { clock, limiter } = limitsOf({ requests: { requests: 2, per: 's' }, bandwidth: 1_000, perUser: {} });
    expect(limiter.admitReady('bob', 150)).toBe(true);
    // The bandwidth is used up, the rate is not.
    expect(limiter.admitReady('bob', 150)).toBe(false);
    expect(limiter.admit('bob')).toBeUndefined();
    clock.advance(500);
    expect(limiter.admitReady('bob', 1)).toBe(true);
    expect(limiter.admitReady('bob', 1)).toBe(false);
    expect(limiter.admit('bob')).toMatchObject({ status: 429 });
  });

  it('hold a body to the pace of its endpoint and of its user', async () => {
    const { clock, limiter } = limitsOf({ bandwidth: 10_000, perUser: { bandwidth: 1_000 } });
    const pace = limiter.allowance('bob').pace();
    expect(pace?.pass(101)).toBeUndefined();
    const held = pace?.pass(100);
    // Others have not used up anything.
    expect(limiter.allowance('ann').pace()?.pass(101)).toBeUndefined();
    clock.advance(10);
    await held;
    expect(limitsOf({ fills: 1 }).limiter.allowance('bob').pace()).toBeUndefined();
  });
});

describe('the limit of running downloads', () => {
  it('lets so many begin, and the next when one ends', async () => {
    const { limiter } = limitsOf({ fills: 2 });
    const bob = limiter.allowance('bob');
    const first = await bob.enterFill(signal);
    await bob.enterFill(signal);
    const third = bob.enterFill(signal);
    first();
    (await third)();
  });

  it('lets users take turns, and holds each to his own', async () => {
    const { limiter } = limitsOf({ fills: 2, perUser: { fills: 1 } });
    const bob = limiter.allowance('bob');
    const leave = await bob.enterFill(signal);
    const order: string[] = [];
    const enter = async (client: string) => {
      const end = await limiter.allowance(client).enterFill(signal);
      order.push(client);
      end();
    };
    const waiting = [enter('bob'), enter('bob'), enter('bob'), enter('ann')];
    await waiting[3];
    expect(order).toEqual(['ann']);
    leave();
    await Promise.all(waiting);
    expect(order).toEqual(['ann', 'bob', 'bob', 'bob']);
  });

  it('tells who waited for long to come back, and lets the place go to others', async () => {
    const { clock, limiter, all } = limitsOf({ fills: 1 });
    const leave = await limiter.allowance('bob').enterFill(signal);
    const late = limiter.allowance('ann').enterFill(signal);
    clock.advance(20_000);
    await expect(late).rejects.toMatchObject({ code: 'TOOMANYREQUESTS', status: 429 });
    await late.catch((error: RegistryError) => expect(headerValue(error.headers, 'Retry-After')).toBe('5'));
    expect(all.limited()).toEqual([{ endpoint: 'team', limit: 'fills', count: 1 }]);
    const next = limiter.allowance('eve').enterFill(signal);
    leave();
    (await next)();
  });

  it('is left by who does not want the blob any more', async () => {
    const { limiter } = limitsOf({ fills: 1, perUser: { fills: 1 } });
    const leave = await limiter.allowance('bob').enterFill(signal);
    const gone = new AbortController();
    const left = limiter.allowance('ann').enterFill(gone.signal);
    gone.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    // Neither her own place nor that of the endpoint is held.
    const again = limiter.allowance('ann').enterFill(signal);
    leave();
    (await again)();
  });
});

describe('a reload of limits', () => {
  it('forgets nothing of what was used, and takes the new numbers into use for what runs', async () => {
    const { limiter, use } = limitsOf({ requests: { requests: 5, per: 'h' }, fills: 1 });
    expect(admitted(limiter, 'bob', 9)).toBe(5);
    const running = await limiter.allowance('bob').enterFill(signal);
    const waiting = limiter.allowance('ann').enterFill(signal);
    const next = use({ requests: { requests: 5, per: 'h' }, fills: 2 });
    expect(next && admitted(next, 'bob', 1)).toBe(0);
    (await waiting)();
    running();
  });

  it('lets everything go on that waits for a limit which is no more', async () => {
    const { limiter, use, clock } = limitsOf({ bandwidth: 1_000, fills: 1, requests: { requests: 1, per: 'h' } });
    await limiter.allowance('bob').enterFill(signal);
    const pace = limiter.allowance('bob').pace();
    expect(pace?.pass(1_000_000)).toBeUndefined();
    const waiting = Promise.all([limiter.allowance('ann').enterFill(signal), pace?.pass(1)]);
    expect(use({})).toBeUndefined();
    await waiting;
    expect(admitted(limiter, 'bob', 10)).toBe(10);
    clock.advance(60_000);
    const again = use({ requests: { requests: 2, per: 'h' } });
    expect(again && admitted(again, 'bob', 10)).toBe(2);
  });
});

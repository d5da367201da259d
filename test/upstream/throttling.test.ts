import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { createThrottling } from '../../src/upstream/throttling.ts';

const alice: HeaderList = [['Authorization', 'Basic YTph']];

function scene() {
  const clock = { now: 5_000 };
  const throttling = createThrottling('The registry hub', () => clock.now);
  const limit = (method: string, headers: HeaderList, retryAfter?: string) =>
    throttling.answered(method, headers, {
      status: 429,
      headers: retryAfter === undefined ? [] : [['Retry-After', retryAfter]],
    });
  return { clock, throttling, limit };
}

describe('F13: a registry that answers 429', () => {
  it('is left in peace for as long as it wants, and the client is told so', () => {
    const { clock, throttling, limit } = scene();
    expect(limit('GET', [], '7')).toBe(7_000);
    expect(throttling.admit('GET', [])).toMatchObject({
      code: 'TOOMANYREQUESTS',
      status: 429,
      headers: [['Retry-After', '7']],
    });
    expect(throttling.isThrottled).toBe(true);
    clock.now += 7_000;
    expect(throttling.admits('GET', [])).toBe(true);
    expect(throttling.admit('GET', [])).toBeUndefined();
    expect(throttling.suspects('GET', [])).toBe(true);
    throttling.answered('GET', [], { status: 200, headers: [] });
    expect(throttling.suspects('GET', [])).toBe(false);
  });

  it('is tried after ten seconds at the latest, by one question at a time', () => {
    const { clock, throttling, limit } = scene();
    limit('GET', [], '3600');
    let probes = 0;
    for (const end = clock.now + 60_000; clock.now < end; clock.now += 100) {
      if (throttling.admit('GET', []) !== undefined) continue;
      probes += 1;
      limit('GET', [], '3600');
    }
    expect(probes).toBe(5);
    clock.now -= 100;
    expect(Number(throttling.admit('GET', [])?.headers[0]?.[1])).toBeGreaterThan(3_500);
  });

  it('is left in peace longer each time when it does not say for how long', () => {
    const { clock, throttling, limit } = scene();
    expect([1, 2, 3].map(() => limit('GET', []))).toEqual([1_000, 2_000, 4_000]);
    throttling.answered('GET', [], { status: 200, headers: [] });
    expect(throttling.admits('GET', [])).toBe(true);
    expect(limit('GET', [])).toBe(1_000);
    clock.now += 1_000;
    expect(throttling.isThrottled).toBe(false);
  });

  it('limits one account and one method and not the others', () => {
    const { throttling, limit } = scene();
    limit('GET', alice, '60');
    expect(throttling.admit('GET', alice)).toBeDefined();
    expect(throttling.admit('HEAD', alice)).toBeUndefined();
    expect(throttling.admit('GET', [])).toBeUndefined();
  });

  it('does not fill the memory with accounts', () => {
    const { throttling, limit } = scene();
    for (let account = 0; account < 1_001; account += 1) limit('GET', [['Authorization', `Bearer ${account}`]], '60');
    expect(throttling.admits('GET', [['Authorization', 'Bearer 0']])).toBe(true);
    expect(throttling.admits('GET', [['Authorization', 'Bearer 1']])).toBe(false);
  });
});

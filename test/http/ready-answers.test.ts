import { describe, expect, it } from 'vitest';
import { createEndpointRoutes } from '../../src/http/endpoint-routes.ts';
import { createReadyAnswers } from '../../src/http/ready-answers.ts';
import type { Answer } from '../../src/pipeline/exchange.ts';
import { fakeUpstream } from '../support/fake-upstream.ts';
import { exchange } from '../support/http.ts';
import { fakeEndpoint } from '../support/scene.ts';
import { startEdge } from './edge.ts';

const target = '/v2/team/app/manifests/latest';

/** An edge whose answers say how often it was asked, and may be repeated until `until`. */
async function startCounting(until: number, overrides: Partial<Answer> = {}) {
  const clock = { now: 0 };
  let asked = 0;
  const edge = await startEdge(
    async ({ applied }) => {
      asked += 1;
      applied.push({ id: 'some-fix', mode: 'on', note: 'n' });
      const bytes = Buffer.from(String(asked));
      return {
        status: 200,
        headers: [],
        body: { kind: 'bytes', bytes },
        cache: 'hit',
        reusableUntil: until,
        ...overrides,
      };
    },
    { ready: createReadyAnswers(() => clock.now) },
  );
  const ask = async (request: { method?: string; target?: string; headers?: Record<string, string> } = {}) =>
    (await exchange(edge.url, { target, ...request })).body.toString();
  return { edge, clock, ask, [Symbol.asyncDispose]: () => edge[Symbol.asyncDispose]() };
}

describe('an answer that may be repeated', () => {
  it('is given again to the very same request until its time is over', async () => {
    await using counting = await startCounting(1000);
    expect([await counting.ask(), await counting.ask()]).toEqual(['1', '1']);
    counting.clock.now = 999;
    expect(await counting.ask()).toBe('1');
    counting.clock.now = 1000;
    expect(await counting.ask()).toBe('2');
  });

  it('is not kept when something was pushed while it was on its way', async () => {
    const ready = createReadyAnswers(() => 0);
    let asked = 0;
    await using edge = await startEdge(
      async () => {
        asked += 1;
        if (asked === 1) ready.forget();
        const bytes = Buffer.from(String(asked));
        return { status: 200, headers: [], body: { kind: 'bytes', bytes }, cache: 'hit', reusableUntil: 1000 };
      },
      { ready },
    );
    const ask = async () => (await exchange(edge.url, { target })).body.toString();
    expect([await ask(), await ask(), await ask()]).toEqual(['1', '2', '2']);
  });

  it('is forgotten when something is pushed, and not for whoever may not push or asks for a token', async () => {
    let asked = 0;
    const endpoint = { ...fakeEndpoint(fakeUpstream()), readOnly: true };
    await using edge = await startEdge(
      async ({ request }) => {
        asked += request.method === 'GET' ? 1 : 0;
        const bytes = Buffer.from(String(asked));
        return { status: 200, headers: [], body: { kind: 'bytes', bytes }, cache: 'hit', reusableUntil: 1000 };
      },
      {
        ready: createReadyAnswers(() => 0),
        endpoints: createEndpointRoutes([
          { endpoint, ns: [], isDefault: true },
          { endpoint: { ...endpoint, name: 'open', readOnly: false }, prefix: 'open', ns: [], isDefault: false },
        ]),
      },
    );
    const send = (method: string, to: string) => exchange(edge.url, { method, target: to });
    const ask = async () => (await send('GET', target)).body.toString();
    expect(await ask()).toBe('1');
    expect([(await send('PUT', target)).status, (await send('POST', '/token')).status]).toEqual([405, 200]);
    expect((await send('POST', '/v2/..')).status).toBe(400);
    expect(await ask()).toBe('1');
    expect((await send('PUT', '/v2/open/app/manifests/1')).status).toBe(200);
    expect(await ask()).toBe('2');
  });

  it('has the same status and fields, and a log line of its own', async () => {
    await using counting = await startCounting(1000, { headers: [['X-Odd', '1']] });
    const { edge } = counting;
    const [first, second] = [await exchange(edge.url, { target }), await exchange(edge.url, { target })];
    const without = (headers: typeof first.headers) => headers.filter(([name]) => name !== 'Date');
    expect(without(second.headers)).toEqual(without(first.headers));
    expect(edge.exchanges).toHaveLength(1);
    const [one, other] = edge.finished.all;
    expect(other).toEqual({ ...one, id: expect.stringMatching(/-2$/), seconds: expect.any(Number) });
  });

  it('is not given to a request that differs in any field, method or query', async () => {
    await using counting = await startCounting(1000);
    const requests = [
      {},
      { headers: { Authorization: 'a' } },
      { headers: { Authorization: 'b' } },
      { headers: { Accept: 'a' } },
      { target: `${target}?ns=x` },
      { method: 'HEAD' },
    ];
    for (const request of requests) await counting.ask(request);
    expect(counting.edge.exchanges).toHaveLength(requests.length);
  });

  it.each(['PUT', 'DELETE', 'POST', 'PATCH'])('is forgotten when anything is changed: %s', async (method) => {
    await using counting = await startCounting(1000);
    await counting.ask();
    await counting.ask({ method, target: '/v2/team/other/tags/list' });
    expect(await counting.ask()).toBe('3');
  });

  it('is not one whose body streams', async () => {
    await using counting = await startCounting(1000, { body: { kind: 'blob', reader: endedReader } });
    await counting.ask();
    await counting.ask();
    expect(counting.edge.exchanges).toHaveLength(2);
  });
});

const endedReader = { next: async () => undefined, close: () => {} };

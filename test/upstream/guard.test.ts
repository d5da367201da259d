import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UpstreamRequest, UpstreamTurn } from '../../src/upstream/messages.ts';
import { createRegistry, type RegistryOptions } from '../../src/upstream/registry.ts';
import { barrier } from '../support/deadline.ts';
import { hang, respond, waitFor } from '../support/script-steps.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { settled } from '../support/settled.ts';

const get: UpstreamRequest = { method: 'GET', path: '/v2/app/manifests/1', headers: [] };
const limited = (retryAfter: string) => respond(429, [['Retry-After', retryAfter]]);

let one: ScriptedUpstream;
let other: ScriptedUpstream;
const registries: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  one = await startScriptedUpstream();
  other = await startScriptedUpstream();
});

afterEach(async () => {
  await Promise.all(registries.splice(0).map((registry) => registry.close()));
  await one.stop();
  await other.stop();
});

function registryAt(urls: RegistryOptions['urls'], options: Partial<RegistryOptions> = {}) {
  const registry = createRegistry({ name: 'hub', urls, ...options });
  registries.push(registry);
  return registry;
}

const statusOf = async (asking: Promise<{ status: number; body: { destroy(): unknown } }>) => {
  const answer = await asking;
  answer.body.destroy();
  return answer.status;
};

describe('F12: a registry that keeps silent', () => {
  it('is not asked again after the first time, and the reason is told at once', async () => {
    one.on('GET', /./, [hang()]);
    const registry = registryAt([one.url], { timeouts: { headers: 50 }, now: () => 0 });
    await expect(registry.request(get)).rejects.toMatchObject({ status: 504, code: 'UNAVAILABLE' });
    await one.requestArrived(() => true);
    await expect(registry.request(get)).rejects.toMatchObject({ status: 504, code: 'UNAVAILABLE' });
    expect(await settled(() => one.requests.length)).toBe(1);
    expect(registry.outlook('GET', [])).toEqual({ ask: false, patience: 0 });
    expect(registry.conditions()).toMatchObject([
      { upstream: 'hub', origin: one.url, state: 'open', throttled: false },
    ]);
  });

  it('is noticed before the time for an answer is over, and what is unknown is still asked for', async () => {
    const gate = barrier();
    one.on('GET', /./, [waitFor(gate), respond(200)]);
    const registry = registryAt([one.url], { timeouts: { revalidate: 0 } });
    const first = registry.request(get);
    await one.requestArrived(() => true);
    await expect.poll(() => registry.outlook('GET', []).ask).toBe(false);
    const reason = expect.stringMatching(/^requests to it have been waiting for \d+ s without an answer$/);
    expect(registry.conditions()).toMatchObject([{ state: 'closed', reason }]);
    const second = registry.request(get);
    gate.release();
    expect([await statusOf(first), await statusOf(second)]).toEqual([200, 200]);
    expect(registry.outlook('GET', []).ask).toBe(true);
    expect(registry.conditions()[0]).not.toHaveProperty('reason');
  });

  it('does not hold up pushes, which nobody else can take', async () => {
    one.on('GET', /./, [hang()]);
    one.on('PUT', /./, [respond(201)]);
    const registry = registryAt([one.url], { timeouts: { headers: 2_000 } });
    await expect(registry.request(get)).rejects.toMatchObject({ status: 504 });
    expect(await statusOf(registry.request({ ...get, method: 'PUT', body: Buffer.from('{}') }))).toBe(201);
  });
});

describe('F13: a registry that answers 503', () => {
  it('is not asked any more after the third time about what is known', async () => {
    one.on('GET', /./, [respond(503, [['Retry-After', '60']])]);
    const registry = registryAt([one.url]);
    for (const _ of [1, 2, 3]) {
      expect(registry.outlook('GET', []).ask).toBe(true);
      expect(await statusOf(registry.request(get))).toBe(503);
    }
    expect(registry.outlook('GET', [])).toEqual({ ask: false, patience: 0 });
    expect(registry.conditions()).toMatchObject([{ state: 'open' }]);
  });

  it('is asked on when it merely does not know the request', async () => {
    one.on('GET', /./, [respond(501)]);
    const registry = registryAt([one.url]);
    for (const _ of [1, 2, 3, 4, 5]) expect(await statusOf(registry.request(get))).toBe(501);
  });

  it('is told apart from a storage that fails behind it', async () => {
    one.on('GET', /./, [respond(307, [['Location', 'http://127.0.0.1:1/gone']])]);
    const registry = registryAt([one.url]);
    for (const _ of [1, 2]) await expect(registry.request(get)).rejects.toMatchObject({ status: 502 });
    expect(one.requests).toHaveLength(2);
    expect(registry.conditions()).toMatchObject([{ state: 'closed' }]);
  });
});

describe('F13: a registry that answers 429', () => {
  it('is waited for, so that the client gets its answer with as few questions as there have to be', async () => {
    one.once('GET', /./, [limited('1')]);
    one.once('GET', /./, [limited('1')]);
    one.on('GET', /./, [respond(200, [], 'content')]);
    const answer = await registryAt([one.url]).request({ ...get, throttled: 'wait' });
    expect(answer).toMatchObject({ status: 200, waited: 2_000 });
    expect(await text(answer.body)).toBe('content');
    expect(one.requests).toHaveLength(3);
  });

  it('is passed on when it wants to be left alone for longer than clients wait', async () => {
    one.on('GET', /./, [limited('3600')]);
    const registry = registryAt([one.url], { now: () => 0 });
    expect(await statusOf(registry.request({ ...get, throttled: 'wait' }))).toBe(429);
    const rejected = registry.request({ ...get, throttled: 'wait' });
    await expect(rejected).rejects.toMatchObject({ status: 429, headers: [['Retry-After', '3600']] });
    expect(one.requests).toHaveLength(1);
    expect(registry.conditions()).toMatchObject([{ state: 'closed', throttled: true }]);
  });

  it('is passed on at once to who does not want to wait', async () => {
    one.on('GET', /./, [limited('1')]);
    expect(await statusOf(registryAt([one.url]).request(get))).toBe(429);
  });

  it('is asked again when it wants to be, without anybody waiting for it who has an older answer', async () => {
    one.once('GET', /./, [limited('7')]);
    one.on('GET', /./, [respond(200)]);
    let time = 0;
    const registry = registryAt([one.url], { now: () => time });
    expect(await statusOf(registry.request(get))).toBe(429);
    expect(registry.outlook('GET', [])).toEqual({ ask: false, patience: 0 });
    time = 7_000;
    expect(registry.outlook('GET', [])).toEqual({ ask: true, patience: 0 });
    expect(registry.outlook('HEAD', [])).toEqual({ ask: true, patience: 1_500 });
    expect(await statusOf(registry.request(get))).toBe(200);
    expect(registry.outlook('GET', [])).toEqual({ ask: true, patience: 1_500 });
  });
});

describe('several URLs', () => {
  const down = 'http://127.0.0.1:1';

  it('are asked in their order, each with a circuit of its own', async () => {
    one.on('GET', /./, [respond(200)]);
    const registry = registryAt([down, one.url]);
    for (const _ of [1, 2]) expect(await statusOf(registry.request(get))).toBe(200);
    expect(registry.conditions().map(({ state }) => state)).toEqual(['open', 'closed']);
    expect(registry.outlook('GET', [])).toMatchObject({ ask: true });
  });

  it('are not asked any further when the first one refuses', async () => {
    one.on('GET', /./, [respond(404)]);
    expect(await statusOf(registryAt([one.url, other.url]).request(get))).toBe(404);
    expect(other.requests).toEqual([]);
  });

  it.each([429, 500, 503])('are asked when the first one answers %i', async (status) => {
    one.on('GET', /./, [respond(status)]);
    other.on('GET', /./, [respond(200)]);
    expect(await statusOf(registryAt([one.url, other.url]).request(get))).toBe(200);
  });

  it('give the reason of the first when none answers', async () => {
    one.on('GET', /./, [respond(503)]);
    other.on('GET', /./, [respond(500)]);
    expect(await statusOf(registryAt([one.url, other.url]).request(get))).toBe(503);
    await expect(registryAt([down, other.url]).request(get)).rejects.toMatchObject({ status: 502 });
  });

  it('get pushes at the first one only', async () => {
    other.on('PUT', /./, [respond(201)]);
    const push: UpstreamRequest = { ...get, method: 'PUT', body: Buffer.from('{}') };
    await expect(registryAt([down, other.url]).request(push)).rejects.toMatchObject({ status: 502 });
    expect(other.requests).toEqual([]);
  });
});

describe('a registry that tells how many requests it allows', () => {
  const left = (remaining: number) => respond(200, [['RateLimit', `limit=100, remaining=${remaining}, reset=60`]]);

  it('is known to be short of them', async () => {
    one.on('GET', /./, [left(3)]);
    const registry = registryAt([one.url]);
    expect(registry.outlook('HEAD', [])).toMatchObject({ ask: true, patience: 1_500 });
    await statusOf(registry.request(get));
    expect(registry.outlook('HEAD', [])).toEqual({ ask: true, patience: 1_500, budget: 0.03 });
    expect(registry.conditions()).toMatchObject([{ budget: { limit: 100, remaining: 3 } }]);
  });

  it('is no measure for the next one, which is asked while it fails', async () => {
    one.once('GET', /./, [left(3)]);
    one.on('GET', /./, [limited('60')]);
    other.on('GET', /./, [left(80)]);
    const registry = registryAt([one.url, other.url]);
    await statusOf(registry.request(get));
    expect(registry.outlook('GET', []).budget).toBe(0.03);
    await statusOf(registry.request(get));
    expect(registry.outlook('GET', []).budget).toBe(0.8);
  });
});

it('the operator is told by which URL a registry fails and why, and when it answers again', async () => {
  const turns: UpstreamTurn[] = [];
  const registry = registryAt([one.url, other.url], { onTurn: (turn) => turns.push(turn) });
  for (const _ of [1, 2, 3]) one.once('GET', /./, [respond(503)]);
  other.on('GET', /./, [respond(200)]);
  for (const _ of [1, 2, 3]) await statusOf(registry.request(get));
  const failing = { upstream: 'hub', origin: one.url, reason: `The registry hub (${one.url}) answered 503` };
  expect(turns).toEqual([failing]);
  one.on('GET', /./, [respond(200)]);
  // A question that only the first one may answer, because the other fails, too.
  await other.stop();
  await statusOf(registry.request(get));
  expect(turns.filter(({ origin }) => origin === one.url)).toEqual([failing, { upstream: 'hub', origin: one.url }]);
});

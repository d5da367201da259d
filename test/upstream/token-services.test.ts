import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import { headerValue } from '../../src/domain/headers.ts';
import type { UpstreamTurn } from '../../src/upstream/messages.ts';
import { createRegistry } from '../../src/upstream/registry.ts';
import { createTokenServices } from '../../src/upstream/token-services.ts';
import { hang, head, respond, type Step } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';

const origin = 'https://auth.example.com';
const late = new RegistryError('UNAVAILABLE', { status: 504, message: `${origin} did not answer in time` });
const broken = new RegistryError('UNAVAILABLE', { status: 502, message: `${origin} answered 503` });
const limited = new RegistryError('TOOMANYREQUESTS', { message: `${origin} answered 429` });

function scene() {
  const clock = { now: 0 };
  const services = createTokenServices(60_000, () => clock.now);
  let asked = 0;
  const ask = (outcome: RegistryError | string, where = origin) =>
    services.ask(where, async () => {
      asked += 1;
      if (typeof outcome === 'string') return outcome;
      throw outcome;
    });
  return { clock, ask, services, questions: () => asked };
}

describe('a token service', () => {
  it('that kept silent is not asked by others, who hear why and when to come again', async () => {
    const { clock, ask, questions } = scene();
    await expect(ask(late)).rejects.toMatchObject({ status: 504, message: late.message });
    await expect(ask('token')).rejects.toMatchObject({
      status: 504,
      message: late.message,
      headers: [['Retry-After', '1']],
    });
    expect(questions()).toBe(1);
    clock.now = 1_000;
    expect(await ask('token')).toBe('token');
    expect(await ask('token')).toBe('token');
  });

  it('that fails three times in a row is left in peace, too', async () => {
    const { ask, questions } = scene();
    for (let times = 0; times < 4; times += 1) await expect(ask(broken)).rejects.toMatchObject({ status: 502 });
    expect(questions()).toBe(3);
  });

  it('that limits requests answers, and one has nothing to do with another', async () => {
    const { ask, questions } = scene();
    for (let times = 0; times < 5; times += 1) await expect(ask(limited)).rejects.toMatchObject({ status: 429 });
    await expect(ask(late)).rejects.toMatchObject({ status: 504 });
    expect(await ask('token', 'https://other.example.com')).toBe('token');
    expect(questions()).toBe(7);
  });
});

it('a registry that names ever new token services costs no memory for each', async () => {
  const { ask, services } = scene();
  for (let port = 1; port <= 100; port += 1) await ask('token', `${origin}:${port}`);
  expect(services.view().map((view) => view.origin)).toHaveLength(16);
  expect(services.view().at(-1)?.origin).toBe(`${origin}:100`);
});

describe('F92: a registry whose token service hangs', () => {
  it('keeps its own good name: it is asked where a token is there, and only who needs a new one fails, at once', async () => {
    await using tokens = await startScriptedUpstream();
    await using registry = await startScriptedUpstream();
    const challenge = `WWW-Authenticate: Bearer realm="${tokens.url}/token",service="test"`;
    const guarded: Step = (context) =>
      headerValue(context.headers, 'Authorization') === 'Bearer good'
        ? respond(200, [], 'content')(context)
        : head(401, [challenge, 'Content-Length: 0'])(context);
    registry.on('GET', /./, [guarded]);
    tokens.once('GET', /./, [respond(200, [], JSON.stringify({ token: 'good', expires_in: 300 }))]);
    tokens.on('GET', /./, [hang()]);
    const turns: UpstreamTurn[] = [];
    const hub = createRegistry({
      name: 'hub',
      onTurn: (turn) => turns.push(turn),
      urls: [registry.url],
      credentials: { kind: 'login', username: 'robot', password: 'hunter2' },
      timeouts: { headers: 4_000 },
    });
    const get = (repository: string) =>
      hub.request({ method: 'GET', path: `/v2/${repository}/manifests/1`, headers: [] });
    expect(await text((await get('known')).body)).toBe('content');
    const failure = { code: 'UNAVAILABLE', status: 504, message: expect.stringContaining(tokens.url) };
    await expect(get('unknown')).rejects.toMatchObject(failure);
    for (let times = 0; times < 20; times += 1) await expect(get(`unknown/${times}`)).rejects.toMatchObject(failure);
    expect(tokens.requests).toHaveLength(2);
    expect(hub.conditions()).toMatchObject([
      { origin: registry.url, state: 'closed' },
      { origin: tokens.url, state: 'open', reason: expect.stringContaining('did not answer in time') },
    ]);
    expect(turns).toEqual([{ upstream: 'hub', origin: tokens.url, reason: expect.stringContaining('in time') }]);
    expect(await text((await get('known')).body)).toBe('content');
    await hub.close();
  });
});

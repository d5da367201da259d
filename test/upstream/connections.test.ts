import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { createUpstream } from '../../src/upstream/upstream.ts';
import { barrier, within } from '../support/deadline.ts';
import { fin, hang, head, respond, send, waitFor } from '../support/script-steps.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { settled } from '../support/settled.ts';

const get = { method: 'GET', path: '/v2/x?token=secret', headers: [['Authorization', 'Bearer secret']] } as const;

describe('connections that are kept', () => {
  const forged = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged';
  const honest = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhonest';

  async function expectNoPollution(registry: ScriptedUpstream): Promise<void> {
    registry.on('GET', /./, [respond(200, [], 'second')]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const first = await upstream.request(get);
    expect((await buffer(first.body)).toString()).toBe('honest');
    await settled(() => registry.inFlight);
    const second = await upstream.request(get);
    expect((await buffer(second.body)).toString()).toBe('second');
    await registry.connectionClosed(1);
    await upstream.close();
  }

  it('give bytes after the body in one piece with it to nobody', async () => {
    await using registry = await startScriptedUpstream();
    registry.once('GET', /./, [send(honest + forged)]);
    await expectNoPollution(registry);
  });

  it('give bytes that follow the body to nobody', async () => {
    await using registry = await startScriptedUpstream();
    registry.once('GET', /./, [send(honest), send('x'), send(forged)]);
    await expectNoPollution(registry);
  });

  it('give a body after 204 and HEAD to nobody', async () => {
    await using registry = await startScriptedUpstream();
    registry.once('HEAD', /./, [send(honest), send(forged)]);
    registry.once('GET', /./, [send(`HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\n${forged}`)]);
    registry.on('GET', /./, [respond(200, [], 'second')]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    for (const [method, expected] of [
      ['HEAD', ''],
      ['GET', ''],
      ['GET', 'second'],
    ] as const) {
      const { body } = await upstream.request({ ...get, method });
      expect((await buffer(body)).toString()).toBe(expected);
    }
    await upstream.close();
  });

  it('serve the next request', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [respond(200, [], 'ok')]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    for (let count = 0; count < 3; count += 1) {
      await buffer((await upstream.request(get)).body);
      await settled(() => registry.inFlight);
    }
    expect(registry.connections.length).toBe(1);
    await upstream.close();
  });

  it('and closed by the registry just when a GET is sent cost nothing but a new connection', async () => {
    await using registry = await startScriptedUpstream();
    registry.once('GET', /./, [respond(200, [], 'ok')]);
    registry.once('GET', /./, [fin()]);
    registry.on('GET', /./, [respond(200, [], 'ok')]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    await buffer((await upstream.request(get)).body);
    await settled(() => registry.inFlight);
    const second = await upstream.request(get);
    expect((await buffer(second.body)).toString()).toBe('ok');
    expect(registry.requests.map(({ connection }) => connection)).toEqual([1, 1, 2]);
    await upstream.close();
  });

  it('and closed by the registry never repeat a POST', async () => {
    await using registry = await startScriptedUpstream();
    registry.once('GET', /./, [respond(200, [], 'ok')]);
    registry.on('POST', /./, [fin()]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    await buffer((await upstream.request(get)).body);
    await settled(() => registry.inFlight);
    await expect(upstream.request({ ...get, method: 'POST' })).rejects.toMatchObject({ status: 502 });
    expect(registry.requests.filter(({ method }) => method === 'POST').length).toBe(1);
    await upstream.close();
  });
});

describe('an abort', () => {
  const reason = new Error('the client is gone');

  it('before the answer rejects with its reason and frees the connection', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [hang()]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const controller = new AbortController();
    const answer = upstream.request({ ...get, signal: controller.signal });
    await registry.requestArrived(() => true);
    controller.abort(reason);
    await expect(answer).rejects.toBe(reason);
    await registry.connectionClosed(1);
    await upstream.close();
  });

  it('during the body errors it with the reason and frees the connection', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [head(200, ['Content-Length: 10']), send('12345'), hang()]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const controller = new AbortController();
    const { body } = await upstream.request({ ...get, signal: controller.signal });
    controller.abort(reason);
    await expect(buffer(body)).rejects.toBe(reason);
    await registry.connectionClosed(1);
    await upstream.close();
  });

  it('before the request sends nothing', async () => {
    await using registry = await startScriptedUpstream();
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    await expect(upstream.request({ ...get, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(registry.requests.length).toBe(0);
    await upstream.close();
  });

  it('while all connections are busy rejects at once and is never sent', async () => {
    await using registry = await startScriptedUpstream();
    const gate = barrier();
    registry.on('GET', /busy/, [waitFor(gate), respond(200)]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const busy = Array.from({ length: 64 }, () => upstream.request({ ...get, path: '/busy' }));
    await registry.connectionOpened(64);
    const controller = new AbortController();
    const queued = upstream.request({ ...get, path: '/queued', signal: controller.signal });
    controller.abort(reason);
    await expect(within('the queued request to reject', queued)).rejects.toBe(reason);
    gate.release();
    await Promise.all(busy);
    expect(registry.requests.some(({ target }) => target === '/queued')).toBe(false);
    expect(registry.connections.length).toBe(64);
    await upstream.close();
  });

  it('of the last reader of a redirect chain frees the place it led to', async () => {
    await using registry = await startScriptedUpstream();
    await using storage = await startScriptedUpstream();
    registry.on('GET', /./, [respond(307, [['Location', `${storage.url}/blob`]])]);
    storage.on('GET', /./, [hang()]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const controller = new AbortController();
    const answer = upstream.request({ ...get, signal: controller.signal });
    await storage.requestArrived(() => true);
    controller.abort(reason);
    await expect(answer).rejects.toBe(reason);
    await storage.connectionClosed(1);
    await upstream.close();
  });
});

it('closing ends running requests and bodies at once', async () => {
  await using registry = await startScriptedUpstream();
  registry.on('GET', /x/, [head(200, ['Content-Length: 10']), send('12345'), hang()]);
  registry.on('GET', /silent/, [hang()]);
  const upstream = createUpstream({ name: 'hub', url: registry.url });
  const { body } = await upstream.request(get);
  const silent = upstream.request({ ...get, path: '/silent' });
  silent.catch(() => {});
  await registry.connectionOpened(2);
  await within('close', upstream.close());
  await expect(silent).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(buffer(body)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await registry.connectionClosed(1);
});

import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import { barrier } from '../support/deadline.ts';
import { exchange } from '../support/http.ts';
import { chunk, fin, hang, head, readBody, rst, send } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';
import { settled } from '../support/settled.ts';
import { startForwardingServer } from './forwarding-server.ts';

import { answerTo, openUpload, rawClient } from './raw-clients.ts';

const MIB = 1024 * 1024;

describe('a client that goes away', () => {
  it('during its body takes the registry connection with it', async () => {
    await using registry = await startScriptedUpstream();
    registry.onHead('PATCH', /./, [readBody(), hang()]);
    await using front = await startForwardingServer(registry.url);
    const upload = openUpload(front.url, { 'Content-Length': '1000' });
    upload.write('half');
    await registry.requestArrived(() => true);
    upload.destroy();
    await registry.connectionClosed(1);
    expect(await front.outcomes.first('the rejection', () => true)).toMatchObject({ name: 'AbortError' });
    expect(registry.requests[0]?.bodyComplete).toBe(false);
  });

  it('while it waits for the answer takes the registry connection with it', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('PUT', /./, [hang()]);
    await using front = await startForwardingServer(registry.url);
    const socket = await rawClient(front.port, 'PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc');
    await registry.requestArrived(() => true);
    socket.destroy();
    await registry.connectionClosed(1);
    expect(await front.outcomes.first('the rejection', () => true)).toMatchObject({ name: 'AbortError' });
  });

  it('during the answer takes the registry connection with it', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [head(200, ['Content-Length: 100']), send('some'), hang()]);
    await using front = await startForwardingServer(registry.url);
    const socket = await rawClient(front.port, 'GET /x HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();
    await registry.connectionClosed(1);
    expect((await front.endings.first('the end of the answer', () => true)).error).toBeInstanceOf(Error);
  });

  it('before it was forwarded costs the registry nothing', async () => {
    await using registry = await startScriptedUpstream();
    // As when the client leaves while manifix still looks something up.
    await using front = await startForwardingServer(registry.url, async ({ socket }) => {
      socket.destroy();
      await once(socket, 'close');
      return {};
    });
    await rawClient(front.port, 'GET /x HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await front.outcomes.first('the rejection', () => true)).toMatchObject({ name: 'AbortError' });
    expect(await settled(() => registry.connections.length)).toBe(0);
  });
});

describe('a registry that goes away', () => {
  it.each([
    ['closes the connection', [fin()]],
    ['resets the connection', [rst()]],
    ['does not speak HTTP', [send('SSH-2.0\r\n')]],
    ['has two lengths', [head(200, ['Content-Length: 1', 'Content-Length: 2'])]],
    ['switches to another protocol', [head(101, ['Connection: Upgrade', 'Upgrade: websocket'])]],
  ])('and %s before its answer is UNAVAILABLE, and the client can be told', async (_name, steps) => {
    await using registry = await startScriptedUpstream();
    registry.onHead('PATCH', /./, [readBody(1000), ...steps]);
    await using front = await startForwardingServer(registry.url);
    const size = 8 * MIB;
    const upload = openUpload(front.url, { 'Content-Length': String(size) });
    upload.end(Buffer.alloc(size));
    expect((await answerTo(upload)).statusCode).toBe(502);
    const error = front.outcomes.all[0];
    expect(error).toBeInstanceOf(RegistryError);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', status: 502, cause: { code: expect.any(String) } });
    expect((error as Error).message).toContain(`The registry at ${registry.url}`);
  });

  it('and refuses connections is UNAVAILABLE', async () => {
    const nobody = 'http://127.0.0.1:1';
    await using front = await startForwardingServer(nobody);
    await exchange(front.url, { target: '/v2/?token=secret' });
    const error = front.outcomes.all[0] as Error;
    expect(error).toMatchObject({ status: 502, cause: { code: 'ECONNREFUSED' } });
    expect(error.message).toBe(`The registry at ${nobody} refused the connection`);
  });

  it.each([
    ['Content-Length', [head(200, ['Content-Length: 10']), send('12345'), fin()]],
    ['a reset', [head(200, ['Content-Length: 10']), send('12345'), rst()]],
    ['chunks', [head(200, ['Transfer-Encoding: chunked']), chunk('12345'), fin()]],
  ])('during its answer (%s) never ends it as if it were whole', async (_name, steps) => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, steps);
    await using front = await startForwardingServer(registry.url);
    await expect(exchange(front.url, { target: '/v2/x' })).rejects.toThrow();
    expect((await front.endings.first('the end of the answer', () => true)).error).toBeInstanceOf(Error);
  });

  it('during its answer, before anybody reads that, leaves the error to a later reader', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [head(200, ['Content-Length: 10']), send('12345'), rst()]);
    const gate = barrier();
    await using front = await startForwardingServer(registry.url, () => ({ beforeReading: gate.passed }));
    const answer = exchange(front.url, { target: '/v2/x' });
    answer.catch(() => {});
    await registry.connectionClosed(1);
    await settled(() => registry.inFlight);
    gate.release();
    expect((await front.endings.first('the end of the answer', () => true)).error).toBeInstanceOf(Error);
    await expect(answer).rejects.toThrow();
  });

  it('and is silent for the idle time before its answer is a 504', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [hang()]);
    await using front = await startForwardingServer(registry.url, () => ({ idle: { before: 50, during: 60_000 } }));
    await exchange(front.url, { target: '/v2/x' });
    expect(front.outcomes.all[0]).toMatchObject({ code: 'UNAVAILABLE', status: 504 });
    await registry.connectionClosed(1);
  });

  it('and gets nothing more from a silent client for the idle time is left', async () => {
    await using registry = await startScriptedUpstream();
    registry.onHead('PATCH', /./, [readBody(), hang()]);
    await using front = await startForwardingServer(registry.url, () => ({ idle: { before: 50, during: 60_000 } }));
    const upload = openUpload(front.url, { 'Content-Length': '1000' });
    upload.write('half');
    expect((await answerTo(upload)).statusCode).toBe(502);
    expect(front.outcomes.all[0]).toMatchObject({ code: 'UNAVAILABLE', status: 504 });
    await registry.connectionClosed(1);
    upload.destroy();
  });

  it('and is silent for the idle time during its answer breaks it off', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [head(200, ['Content-Length: 10']), send('12345'), hang()]);
    await using front = await startForwardingServer(registry.url, () => ({ idle: { before: 60_000, during: 50 } }));
    await expect(exchange(front.url, { target: '/v2/x' })).rejects.toThrow();
    expect((await front.endings.first('the end of the answer', () => true)).error).toBeInstanceOf(RegistryError);
    await registry.connectionClosed(1);
  });
});

describe('an abort', () => {
  it('before the answer rejects with its reason and frees the registry connection', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [hang()]);
    const controller = new AbortController();
    await using front = await startForwardingServer(registry.url, () => ({ signal: controller.signal }));
    const answer = exchange(front.url, { target: '/v2/x' });
    await registry.requestArrived(() => true);
    const reason = new Error('draining');
    controller.abort(reason);
    await answer;
    expect(front.outcomes.all[0]).toBe(reason);
    await registry.connectionClosed(1);
  });

  it('during the answer errors its body with the reason', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [head(200, ['Content-Length: 10']), send('12345'), hang()]);
    const controller = new AbortController();
    await using front = await startForwardingServer(registry.url, () => ({ signal: controller.signal }));
    const answer = exchange(front.url, { target: '/v2/x' });
    answer.catch(() => {});
    await front.outcomes.first('the answer', () => true);
    const reason = new Error('draining');
    controller.abort(reason);
    expect((await front.endings.first('the end of the answer', () => true)).error).toBe(reason);
    await registry.connectionClosed(1);
  });

  it('before the request sends nothing', async () => {
    await using registry = await startScriptedUpstream();
    const reason = new Error('too late');
    await using front = await startForwardingServer(registry.url, () => ({ signal: AbortSignal.abort(reason) }));
    await exchange(front.url, { target: '/v2/x' });
    expect(front.outcomes.all[0]).toBe(reason);
    expect(registry.connections.length).toBe(0);
  });
});

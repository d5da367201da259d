import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { within } from '../support/deadline.ts';
import { exchange } from '../support/http.ts';
import { respond } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';
import { startForwardingServer } from './forwarding-server.ts';

import { answerTo, openUpload } from './raw-clients.ts';

const MIB = 1024 * 1024;

describe('what the registry gets', () => {
  it('is the path and query as they are, and exactly the given header fields with their capitals', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [respond(200)]);
    const path = "/base//v2/a%2Fb/../c?_state=a'b%27{}|^&?digest=%3f?x";
    await using front = await startForwardingServer(registry.url, () => ({
      path,
      headers: [
        ['User-Agent', 'docker/24'],
        ['accept', 'a/b'],
        ['X-Odd', 'one'],
        ['Accept', 'c/d'],
        ['Authorization', 'Bearer t'],
      ],
    }));
    await exchange(front.url, {
      target: '/v2/',
      headers: {
        Cookie: 'a=b',
        'X-Forwarded-For': '1.2.3.4',
        'X-Client': 'not forwarded',
        TE: 'trailers',
        'Accept-Language': 'de',
      },
    });
    expect(registry.requests[0]?.target).toBe(path);
    expect(registry.requests[0]?.headers).toEqual([
      ['Host', registry.host],
      ['User-Agent', 'docker/24'],
      ['accept', 'a/b'],
      ['accept', 'c/d'],
      ['X-Odd', 'one'],
      ['Authorization', 'Bearer t'],
      ['connection', 'close'],
    ]);
  });

  it.each([
    ['DELETE', []],
    ['HEAD', []],
    ['GET', []],
    ['POST', [['Content-Length', '0']]],
    ['PUT', [['Content-Length', '0']]],
  ] as const)('of a %s without a body is framed as such', async (method, framing) => {
    await using registry = await startScriptedUpstream();
    registry.on(method, /./, [respond(202)]);
    await using front = await startForwardingServer(registry.url, () => ({
      headers: [
        ['Content-Length', '7'],
        ['Transfer-Encoding', 'chunked'],
      ],
      body: 'none',
    }));
    const answer = await exchange(front.url, { method, target: '/v2/x' });
    expect(answer.status).toBe(202);
    expect(registry.requests[0]).toMatchObject({
      method,
      bodyLength: 0,
      headers: [['Host', registry.host], ...framing, ['connection', 'close']],
    });
  });

  it('is the client body byte for byte, with the length that the client said', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('PATCH', /./, [respond(202)]);
    const hash = createHash('sha256');
    await using front = await startForwardingServer(registry.url, () => ({ observe: (bytes) => hash.update(bytes) }));
    const body = randomBytes(5 * MIB + 7);
    const answer = await exchange(front.url, { method: 'PATCH', target: '/v2/x', body });
    expect(answer.status).toBe(202);
    expect(answer.header('X-Whole')).toBe('true');
    const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
    expect(registry.requests[0]).toMatchObject({ bodyLength: body.length, bodyComplete: true, bodyDigest: digest });
    expect(registry.requests[0]?.headers).toContainEqual(['Content-Length', String(body.length)]);
    expect(`sha256:${hash.digest('hex')}`).toBe(digest);
  });

  it.each(['PATCH', 'DELETE'])('is chunked when the client sent chunks with %s', async (method) => {
    await using registry = await startScriptedUpstream();
    registry.on(method, /./, [respond(202)]);
    await using front = await startForwardingServer(registry.url);
    const upload = request(`${front.url}/v2/x`, { method, agent: false, headers: { 'Transfer-Encoding': 'chunked' } });
    const body = randomBytes(MIB);
    upload.write(body.subarray(0, 10));
    upload.end(body.subarray(10));
    expect((await answerTo(upload)).statusCode).toBe(202);
    expect(registry.requests[0]).toMatchObject({ bodyLength: MIB, bodyComplete: true });
    expect(registry.requests[0]?.headers).toContainEqual(['Transfer-Encoding', 'chunked']);
  });

  it('can be other bytes than the client sent', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('PUT', /./, [respond(201)]);
    const seen: Uint8Array[] = [];
    await using front = await startForwardingServer(registry.url, (incoming) => {
      incoming.resume();
      return { body: Buffer.from('{"repaired":1}'), observe: (bytes) => seen.push(bytes) };
    });
    await exchange(front.url, { method: 'PUT', target: '/v2/x', body: '{"sent":1}' });
    expect(registry.requests[0]?.body.toString()).toBe('{"repaired":1}');
    expect(registry.requests[0]?.headers).toContainEqual(['Content-Length', '14']);
    expect(Buffer.concat(seen).toString()).toBe('{"repaired":1}');
  });

  it('comes without Expect, and the client that asked is told to continue', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('PATCH', /./, [respond(202)]);
    await using front = await startForwardingServer(registry.url, () => ({ headers: [['Expect', '100-continue']] }));
    const upload = openUpload(front.url, { Expect: '100-continue', 'Content-Length': '3' });
    await within('100 Continue', once(upload, 'continue'));
    upload.end('abc');
    expect((await answerTo(upload)).statusCode).toBe(202);
    const names = registry.requests[0]?.headers.map(([name]) => name.toLowerCase());
    expect(names).toEqual(['host', 'content-length', 'connection']);
    expect(registry.requests[0]?.body.toString()).toBe('abc');
  });

  it('arrives on a connection of its own each time', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('POST', /./, [respond(202)]);
    await using front = await startForwardingServer(registry.url);
    for (let count = 0; count < 3; count += 1) await exchange(front.url, { method: 'POST', target: '/v2/x' });
    expect(registry.requests.map(({ connection }) => connection)).toEqual([1, 2, 3]);
    await registry.connectionClosed(3);
  });
});

it('a path that HTTP does not allow is refused before anything is sent', async () => {
  await using registry = await startScriptedUpstream();
  await using front = await startForwardingServer(registry.url, () => ({ path: '/v2/a b\r\nX: y' }));
  await exchange(front.url, { target: '/v2/x' });
  expect(front.outcomes.all[0]).toMatchObject({ code: 'ERR_UNESCAPED_CHARACTERS' });
  expect(registry.connections.length).toBe(0);
});

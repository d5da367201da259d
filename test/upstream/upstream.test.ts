import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { createUpstream } from '../../src/upstream/upstream.ts';
import { withoutHeader } from '../support/headers.ts';
import { chunk, hang, head, lastChunk, respond, send } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';
import { settled } from '../support/settled.ts';

describe('a request to the registry', () => {
  it('arrives with the path, query and header capitals it was given', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [respond(200, [], 'ok')]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const path = "/v2/a%2Fb//x/../y?_state=a'b%27{}|&?second=%3f&ns=";
    const answer = await upstream.request({
      method: 'GET',
      path,
      headers: [
        ['X-Odd-Name', 'a  b'],
        ['Accept', 'x/y'],
      ],
    });
    expect(await buffer(answer.body)).toEqual(Buffer.from('ok'));
    const [request] = registry.requests;
    expect(request?.target).toBe(path);
    expect(withoutHeader(request?.headers ?? [], 'connection')).toEqual([
      ['host', registry.host],
      ['X-Odd-Name', 'a  b'],
      ['Accept', 'x/y'],
      ['Accept-Encoding', 'identity'],
    ]);
    await upstream.close();
  });

  it('puts the path of the configured URL in front, without a doubled slash', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [respond(204)]);
    const upstream = createUpstream({ name: 'hub', url: `${registry.url}/registry/hub/` });
    const answer = await upstream.request({ method: 'GET', path: '/v2/', headers: [] });
    expect(answer.status).toBe(204);
    expect(registry.requests[0]?.target).toBe('/registry/hub/v2/');
    expect(upstream).toMatchObject({ name: 'hub', origin: registry.url, basePath: '/registry/hub' });
    await upstream.close();
  });

  it('carries nothing of the client connection and of proxies in front', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [respond(200)]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    await upstream.request({
      method: 'GET',
      path: '/v2/',
      headers: [
        ['Host', 'manifix.example'],
        ['Connection', 'keep-alive, X-Hop'],
        ['X-Hop', '1'],
        ['Accept-Encoding', 'gzip'],
        ['accept-encoding', 'br'],
        ['Expect', '100-continue'],
        ['Transfer-Encoding', 'chunked'],
        ['TE', 'trailers'],
        ['Forwarded', 'for=1.2.3.4'],
        ['X-Forwarded-Proto', 'https'],
        ['X-Original-URL', '/admin'],
        ['X-Real-IP', '1.2.3.4'],
        ['Proxy-Authorization', 'Basic eDp5'],
        ['Authorization', 'Bearer t'],
      ],
    });
    expect(registry.requests[0]?.headers).toEqual([
      ['host', registry.host],
      ['connection', 'keep-alive'],
      ['Accept-Encoding', 'identity'],
      ['Authorization', 'Bearer t'],
    ]);
    await upstream.close();
  });

  it('sends a body with its length', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('PUT', /./, [respond(201)]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const answer = await upstream.request({ method: 'PUT', path: '/v2/x', headers: [], body: Buffer.from('{"a":1}') });
    expect(answer.status).toBe(201);
    const [request] = registry.requests;
    expect(request?.body.toString()).toBe('{"a":1}');
    expect(request?.headers).toContainEqual(['content-length', '7']);
    await upstream.close();
  });
});

describe('an answer of the registry', () => {
  it('keeps the capitals, order and repetition of its header fields, and every byte of the body', async () => {
    await using registry = await startScriptedUpstream();
    const lines = [
      'Docker-Content-Digest: sha256:aa',
      'WWW-Authenticate: Basic',
      'www-authenticate: Bearer x ',
      'X-Byte: \xe9',
    ];
    const body = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    registry.on('GET', /./, [
      send(Buffer.from(`HTTP/1.1 401 No\r\n${lines.join('\r\n')}\r\nTransfer-Encoding: chunked\r\n\r\n`, 'latin1')),
      chunk(body),
      lastChunk(),
    ]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const answer = await upstream.request({ method: 'GET', path: '/v2/', headers: [] });
    expect(answer).toMatchObject({ status: 401, redirected: false });
    expect(answer.headers).toEqual([
      ['Docker-Content-Digest', 'sha256:aa'],
      ['WWW-Authenticate', 'Basic'],
      ['www-authenticate', 'Bearer x'],
      ['X-Byte', 'é'],
      ['Transfer-Encoding', 'chunked'],
    ]);
    expect(await buffer(answer.body)).toEqual(body);
    await upstream.close();
  });

  it('is not decoded when it is compressed although nobody asked for that', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [respond(200, [['Content-Encoding', 'gzip']], 'not really gzip')]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const answer = await upstream.request({ method: 'GET', path: '/v2/', headers: [] });
    expect((await buffer(answer.body)).toString()).toBe('not really gzip');
    await upstream.close();
  });

  it('has an empty body for HEAD, whatever length it announces', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('HEAD', /./, [respond(200, [], 'twelve bytes')]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const answer = await upstream.request({ method: 'HEAD', path: '/v2/', headers: [] });
    expect(answer.headers).toContainEqual(['Content-Length', '12']);
    expect((await buffer(answer.body)).length).toBe(0);
    await upstream.close();
  });

  it('holds no more of a body in memory than somebody reads', async () => {
    await using registry = await startScriptedUpstream();
    const size = 256 * 1024 * 1024;
    const piece = Buffer.alloc(1024 * 1024);
    registry.on('GET', /./, [
      head(200, [`Content-Length: ${size}`]),
      ...Array.from({ length: 256 }, () => send(piece)),
    ]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const answer = await upstream.request({ method: 'GET', path: '/v2/', headers: [] });
    const stalled = await settled(() => registry.connections[0]?.bytesWritten ?? 0);
    // The socket buffers of both sides on loopback; manifix itself keeps 64 KiB and a chunk.
    expect(stalled).toBeLessThan(32 * 1024 * 1024);
    expect(answer.body.readableLength).toBeLessThanOrEqual(256 * 1024);
    answer.body.destroy();
    await registry.connectionClosed(1);
    await upstream.close();
  });

  it('frees its connection when its body is destroyed', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [head(200, ['Content-Length: 100']), send('some'), hang()]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const answer = await upstream.request({ method: 'GET', path: '/v2/', headers: [] });
    answer.body.destroy();
    await registry.connectionClosed(1);
    await upstream.close();
  });

  it('is reported once with who answered and how', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [respond(404)]);
    const seen: object[] = [];
    const upstream = createUpstream({ name: 'hub', url: registry.url, onAnswer: (answer) => seen.push(answer) });
    await upstream.request({ method: 'GET', path: '/v2/', headers: [] });
    expect(seen).toEqual([
      {
        upstream: 'hub',
        method: 'GET',
        origin: registry.url,
        status: 404,
        seconds: expect.any(Number),
        redirected: false,
      },
    ]);
    await upstream.close();
  });
});

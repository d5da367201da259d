import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import type { ForwardedAnswer } from '../../src/pipeline/pass-through-proxy.ts';
import { barrier, within } from '../support/deadline.ts';
import { exchange } from '../support/http.ts';
import { chunk, hang, head, lastChunk, readBody, respond, send, waitFor } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';
import { settled } from '../support/settled.ts';
import { startForwardingServer } from './forwarding-server.ts';

import { answerTo, openUpload, rawClient } from './raw-clients.ts';

const MIB = 1024 * 1024;

describe('what the client gets', () => {
  it('is the status, the header fields with capitals and repetition, and the body', async () => {
    await using registry = await startScriptedUpstream();
    const body = randomBytes(3 * MIB);
    registry.on('GET', /./, [
      head(206, ['Docker-Content-Digest: sha256:aa', 'Link: <a>', 'link: <b>', 'Transfer-Encoding: chunked']),
      chunk(body),
      lastChunk(),
    ]);
    await using front = await startForwardingServer(registry.url);
    const answer = await exchange(front.url, { target: '/v2/x' });
    expect(answer.status).toBe(206);
    expect(answer.body.equals(body)).toBe(true);
    expect((front.outcomes.all[0] as ForwardedAnswer).headers).toEqual([
      ['Docker-Content-Digest', 'sha256:aa'],
      ['Link', '<a>'],
      ['link', '<b>'],
      ['Transfer-Encoding', 'chunked'],
    ]);
  });

  it('may have 40 KiB of header fields', async () => {
    await using registry = await startScriptedUpstream();
    const state = 's'.repeat(40_000);
    registry.on('POST', /./, [respond(202, [['Location', `/v2/x/blobs/uploads/1?_state=${state}`]])]);
    await using front = await startForwardingServer(registry.url);
    const answer = await exchange(front.url, { method: 'POST', target: '/v2/x' });
    expect(answer.status).toBe(202);
    expect((front.outcomes.all[0] as ForwardedAnswer).headers[0]?.[1]).toContain(state);
  });

  it('is an early answer although the registry reads nothing of the body', async () => {
    await using registry = await startScriptedUpstream();
    const gate = barrier();
    registry.onHead('PATCH', /./, [waitFor(gate), respond(401, [], 'who are you'), hang()]);
    let observed = 0;
    await using front = await startForwardingServer(registry.url, () => ({
      observe: (bytes) => {
        observed += bytes.byteLength;
      },
    }));
    const upload = openUpload(front.url, { 'Content-Length': String(64 * MIB) });
    upload.write(Buffer.alloc(64 * MIB - 1));
    await settled(() => observed);
    gate.release();
    const answer = await answerTo(upload);
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['x-whole']).toBe('false');
    expect((await buffer(answer)).toString()).toBe('who are you');
    // The registry does not read and cannot see it, but manifix has let go of the connection.
    const { socket } = (front.outcomes.all[0] as ForwardedAnswer).body as IncomingMessage;
    expect(await settled(() => Number(socket.destroyed))).toBe(1);
    upload.destroy();
  });

  it('is the next answer too when it sent the rest of a body that was answered early', async () => {
    await using registry = await startScriptedUpstream();
    registry.onHead('PATCH', /./, [respond(413), hang()]);
    registry.on('GET', /next/, [respond(200)]);
    await using front = await startForwardingServer(registry.url);
    const size = 32 * MIB;
    const socket = await rawClient(front.port, `PATCH /x HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n`);
    const received: string[] = [];
    socket.on('data', (bytes) => received.push(bytes.toString()));
    await pipeline(Readable.from([Buffer.alloc(size)], { objectMode: false }), socket, { end: false });
    socket.write('GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await within('both answers', once(socket, 'close'));
    expect(received.join('').match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
  });
});

describe('back-pressure', () => {
  it('keeps a body out of memory while the registry does not read', async () => {
    await using registry = await startScriptedUpstream();
    const gate = barrier();
    registry.onHead('PATCH', /./, [waitFor(gate), readBody(), respond(202)]);
    let observed = 0;
    await using front = await startForwardingServer(registry.url, () => ({
      observe: (bytes) => {
        observed += bytes.byteLength;
      },
    }));
    const size = 256 * MIB;
    const upload = openUpload(front.url, { 'Content-Length': String(size) });
    const sending = pipeline(pieces(size), upload);
    // What the kernel holds of two loopback connections, and what Node holds of two streams.
    expect(await settled(() => observed)).toBeLessThan(48 * MIB);
    expect(observed).toBeGreaterThan(0);
    gate.release();
    await sending;
    expect((await answerTo(upload)).statusCode).toBe(202);
    expect(observed).toBe(size);
    expect(registry.requests[0]).toMatchObject({ bodyLength: size, bodyComplete: true });
  });

  it('keeps an answer out of memory while the client does not read', async () => {
    await using registry = await startScriptedUpstream();
    const piece = Buffer.alloc(MIB);
    registry.on('GET', /./, [head(200, ['Content-Length: 268435456']), ...Array(256).fill(send(piece))]);
    await using front = await startForwardingServer(registry.url);
    const socket = await rawClient(front.port, 'GET /x HTTP/1.1\r\nHost: x\r\n\r\n');
    await registry.requestArrived(() => true);
    await front.outcomes.first('the answer', () => true);
    expect(await settled(() => registry.connections[0]?.bytesWritten ?? 0)).toBeLessThan(48 * MIB);
    socket.destroy();
    await registry.connectionClosed(1);
  });
});

async function* pieces(size: number): AsyncGenerator<Buffer> {
  const piece = Buffer.alloc(MIB);
  for (let sent = 0; sent < size; sent += piece.length) yield piece;
}

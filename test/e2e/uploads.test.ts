import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEdgeServer } from '../../src/http/server.ts';
import { barrier, within } from '../support/deadline.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { headerValue } from '../support/headers.ts';
import { exchange } from '../support/http.ts';
import { sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { hang, readBody, respond, rst, waitFor } from '../support/script-steps.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { describeWithTools } from '../support/tools.ts';
import { firstError } from './registry-errors.ts';
import { answerTo, freshBytes, startRequest } from './streaming-client.ts';

const MIB = 1024 * 1024;
/** Enough to show that bodies are not collected; `TEST_UPLOAD_MIB=5120` tries a layer of 5 GiB. */
const LARGE = Number(process.env.TEST_UPLOAD_MIB ?? 1024) * MIB;

/** Writes until no more is taken for a while, which nothing announces. Gives the number of bytes written. */
async function writeUntilHeldBack(outgoing: ClientRequest, piece: Buffer): Promise<number> {
  let written = 0;
  for (let held = false; !held; ) {
    written += piece.length;
    const drained = once(outgoing, 'drain').then(() => false);
    held = !outgoing.write(piece) && (await Promise.race([drained, delay(300, true)]));
  }
  return written;
}

function digestOfRepeated(piece: Buffer, times: number): string {
  const hash = createHash('sha256');
  for (let time = 0; time < times; time += 1) hash.update(piece);
  return `sha256:${hash.digest('hex')}`;
}

describeWithTools('uploads to docker-registry', ['docker-registry'], () => {
  it.each([
    ['in one PUT with a length', 1, true],
    ['in one PUT without a length', 1, false],
    ['in chunks with a length', 4, true],
    ['in chunks without a length', 4, false],
  ] as const)('arrive byte for byte %s', async (_, parts, sized) => {
    await using registry = await startDockerRegistry();
    await using manifix = await startManifix({ upstream: registry.url });
    const bytes = freshBytes(8 * MIB);
    const size = bytes.length / parts;
    const opened = await exchange(manifix.url, { method: 'POST', target: '/v2/app/blobs/uploads/' });
    let location = opened.header('Location') ?? '';
    for (let part = 0; part < parts; part += 1) {
      const last = part === parts - 1;
      const chunk = bytes.subarray(part * size, (part + 1) * size);
      const headers = { 'Content-Type': 'application/octet-stream', ...(sized && { 'Content-Length': `${size}` }) };
      const request = startRequest(last ? `${location}&digest=${sha256(bytes)}` : location, {
        method: last ? 'PUT' : 'PATCH',
        headers,
      });
      request.write(chunk.subarray(0, size / 2));
      request.end(chunk.subarray(size / 2));
      const answer = await answerTo(request);
      expect(answer.statusCode, String(await buffer(answer))).toBe(last ? 201 : 202);
      location = answer.headers.location ?? '';
    }
    const stored = await exchange(registry.url, { target: `/v2/app/blobs/${sha256(bytes)}` });
    expect(sha256(stored.body)).toBe(sha256(bytes));
  });
});

describe('uploads', () => {
  let upstream: ScriptedUpstream;
  let manifix: Manifix;

  beforeAll(async () => {
    upstream = await startScriptedUpstream();
    manifix = await startManifix({ upstream: upstream.url });
  });
  afterAll(() => Promise.all([manifix.stop(), upstream.stop()]));

  const start = (path: string, headers = {}): ClientRequest =>
    startRequest(`${manifix.url}${path}?_state=x`, {
      headers: { 'Content-Type': 'application/octet-stream', ...headers },
    });
  const errorIn = async (answer: IncomingMessage) => firstError(await buffer(answer));
  async function residentBytes(): Promise<number> {
    const { body } = await exchange(manifix.adminUrl, { target: '/metrics' });
    return Number(/^process_resident_memory_bytes (\d+)$/m.exec(body.toString())?.[1]);
  }

  it('wait for a registry that does not read, and take little memory however large they are', async () => {
    const path = '/v2/app/blobs/uploads/large';
    const reads = barrier();
    upstream.onHead('PATCH', /uploads\/large/, [
      readBody(MIB),
      waitFor(reads),
      readBody(),
      respond(202, [['Location', '/x']]),
    ]);
    const before = await residentBytes();
    const outgoing = start(path, { 'Content-Length': String(LARGE) });
    const piece = freshBytes(MIB);
    const taken = await writeUntilHeldBack(outgoing, piece);
    expect(taken).toBeLessThan(64 * MIB);
    const resident = [await residentBytes()];
    reads.release();
    // A slow machine may have taken more meanwhile.
    if (outgoing.writableNeedDrain) await once(outgoing, 'drain');
    for (let written = taken; written < LARGE; written += MIB) {
      if (!outgoing.write(piece)) await once(outgoing, 'drain');
      if (written % (128 * MIB) === 0) resident.push(await residentBytes());
    }
    outgoing.end();
    expect((await answerTo(outgoing)).statusCode).toBe(202);
    const received = await upstream.requestArrived(({ target }) => target.includes('uploads/large'));
    expect(received.bodyLength).toBe(LARGE);
    expect(received.bodyDigest).toBe(digestOfRepeated(piece, LARGE / MIB));
    expect(Math.max(...resident) - before).toBeLessThan(150 * MIB);
  }, 300_000);

  it('free the registry at once when the client vanishes', async () => {
    upstream.onHead('PATCH', /uploads\/vanishing-client/, [readBody(), respond(202)]);
    const outgoing = start('/v2/app/blobs/uploads/vanishing-client', { 'Content-Length': String(10 * MIB) });
    outgoing.write(freshBytes(MIB));
    const { connection } = await upstream.requestArrived(({ target }) => target.includes('vanishing-client'));
    outgoing.destroy();
    await upstream.connectionClosed(connection);
  });

  it('free the client at once when the registry vanishes', async () => {
    upstream.onHead('PATCH', /uploads\/vanishing-registry/, [readBody(64 * 1024), rst()]);
    const outgoing = start('/v2/app/blobs/uploads/vanishing-registry', { 'Content-Length': String(10 * MIB) });
    outgoing.write(freshBytes(MIB));
    const answer = await answerTo(outgoing);
    expect([answer.statusCode, (await errorIn(answer)).code]).toEqual([502, 'UNAVAILABLE']);
    outgoing.destroy();
  });

  it('free the registry when the client vanishes while it waits for the answer', async () => {
    upstream.on('PUT', /uploads\/waiting/, [hang()]);
    const outgoing = startRequest(`${manifix.url}/v2/app/blobs/uploads/waiting?_state=x`, { method: 'PUT' });
    outgoing.end();
    const { connection } = await upstream.requestArrived(({ target }) => target.includes('uploads/waiting'));
    outgoing.destroy();
    await upstream.connectionClosed(connection);
  });

  it('are answered at once when the registry refuses before it has read the body', async () => {
    const refusal = { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] };
    upstream.onHead('PATCH', /uploads\/refused/, [
      respond(
        401,
        [
          ['WWW-Authenticate', 'Basic realm="r"'],
          ['Content-Type', 'application/json'],
        ],
        JSON.stringify(refusal),
      ),
      hang(),
    ]);
    const outgoing = start('/v2/app/blobs/uploads/refused', { 'Content-Length': String(10 * MIB) });
    outgoing.write(freshBytes(1000));
    const answer = await answerTo(outgoing);
    expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([401, 'Basic realm="r"']);
    expect((await errorIn(answer)).code).toBe('UNAUTHORIZED');
    outgoing.destroy();
  });

  it('keep the framing that the client chose', async () => {
    upstream.on('PATCH', /uploads\/framing/, [respond(202, [['Location', '/x']])]);
    const chunked = start('/v2/app/blobs/uploads/framing-chunked');
    chunked.write('some');
    chunked.end('thing');
    await answerTo(chunked);
    const sized = start('/v2/app/blobs/uploads/framing-sized', { 'Content-Length': '9' });
    sized.end('something');
    await answerTo(sized);
    for (const [kind, length, coding] of [
      ['chunked', undefined, 'chunked'],
      ['sized', '9', undefined],
    ] as const) {
      const { headers, body } = await upstream.requestArrived(({ target }) => target.includes(`framing-${kind}`));
      expect(headerValue(headers, 'Content-Length')).toBe(length);
      expect(headerValue(headers, 'Transfer-Encoding')).toBe(coding);
      expect(body.toString()).toBe('something');
    }
  });

  it('may take as long as they need: the server sets no limit for a whole request', async () => {
    const server = createEdgeServer(() => {
      throw new Error('no request is sent');
    });
    expect(server.requestTimeout).toBe(0);
    expect(server.timeout).toBe(0);
    await within('close', new Promise((closed) => server.close(closed)));
  });
});

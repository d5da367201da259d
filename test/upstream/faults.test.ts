import { createServer } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import { createUpstream } from '../../src/upstream/upstream.ts';
import { within } from '../support/deadline.ts';
import { listenOnLoopback } from '../support/ports.ts';
import { chunk, fin, hang, head, rst, type Step, send } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';
import { settled } from '../support/settled.ts';

const get = { method: 'GET', path: '/v2/x?token=secret', headers: [['Authorization', 'Bearer secret']] } as const;

/** Where nobody listens, and nobody comes to listen meanwhile as on a port that was given up. */
const NOBODY = 'http://127.0.0.1:1';

async function failureOf(steps: readonly Step[], timeouts = {}): Promise<RegistryError> {
  await using registry = await startScriptedUpstream();
  registry.on('GET', /./, steps);
  const upstream = createUpstream({ name: 'hub', url: registry.url, timeouts });
  const error = await upstream.request(get).catch((reason) => reason);
  await upstream.close();
  expect(error).toBeInstanceOf(RegistryError);
  expect(`${error.message} ${error.explanation}`).not.toContain('secret');
  expect(error.message).toContain(`The registry hub (${registry.url})`);
  expect(error.cause).toBeInstanceOf(Error);
  return error;
}

const manyFields = (count: number, size: number) =>
  Array.from({ length: count }, (_, index) => `X-${index}: ${'v'.repeat(size)}`);

describe('a registry without an answer becomes UNAVAILABLE', () => {
  it.each<[string, number, readonly Step[], RegExp]>([
    ['that closes the connection', 502, [fin()], /closed the connection/],
    ['that resets the connection', 502, [rst()], /closed the connection/],
    ['that stops within its header fields', 502, [send('HTTP/1.1 200 OK\r\nContent-'), fin()], /closed the connection/],
    ['that does not speak HTTP', 502, [send('SSH-2.0-OpenSSH_9.2\r\n')], /not HTTP/],
    ['that says HTTP/9.9', 502, [send('HTTP/9.9 200 OK\r\n\r\n')], /not HTTP/],
    ['with 128 KiB of header fields', 502, [head(200, manyFields(128, 1024)), hang()], /more header fields/],
    [
      'with two Content-Lengths',
      502,
      [head(200, ['Content-Length: 4', 'Content-Length: 9']), send('abcd')],
      /length contradicts/,
    ],
    [
      'with Content-Length and chunks',
      502,
      [head(200, ['Content-Length: 4', 'Transfer-Encoding: chunked'])],
      /length contradicts/,
    ],
    ['with a negative length', 502, [head(200, ['Content-Length: -1'])], /not HTTP/],
    ['with a length that is no number', 502, [head(200, ['Content-Length: +5'])], /not HTTP/],
    ['with NUL in a field', 502, [head(200, ['X-Odd: a\0b'])], /not HTTP/],
    ['with a folded field', 502, [head(200, ['X-Odd: a', ' b'])], /not HTTP/],
    ['with a bare CR in a field', 502, [head(200, ['X-Odd: a\rb: c'])], /not HTTP/],
    [
      'that floods with interim answers',
      502,
      Array.from({ length: 10_000 }, () => head(103, ['Link: </x>'])),
      /interim/,
    ],
    ['that continues without being asked', 502, [head(100, [])], /closed the connection/],
    ['that switches protocols', 502, [head(101, ['Upgrade: h2c', 'Connection: Upgrade'])], /closed the connection/],
    ['that is silent', 504, [hang()], /did not answer in time/],
  ])('%s', async (_name, status, steps, reason) => {
    // The others have all the time, so that a machine that is busy makes no silence of them.
    const error = await failureOf(steps, status === 504 ? { headers: 200 } : {});
    expect(error).toMatchObject({ code: 'UNAVAILABLE', status });
    expect(error.message).toMatch(reason);
  });

  it('that refuses connections', async () => {
    const upstream = createUpstream({ name: 'hub', url: NOBODY });
    await expect(upstream.request(get)).rejects.toMatchObject({ status: 502, cause: { code: 'ECONNREFUSED' } });
    await upstream.close();
  });

  it('that has an unknown name', async () => {
    // No name server is asked for a name with an empty part.
    const upstream = createUpstream({ name: 'hub', url: 'http://registry..invalid' });
    await expect(upstream.request(get)).rejects.toMatchObject({
      status: 502,
      message: expect.stringContaining('has a host name that'),
    });
    await upstream.close();
  });

  it('that speaks no TLS although https was configured', async () => {
    const plain = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const upstream = createUpstream({ name: 'hub', url: `https://127.0.0.1:${await listenOnLoopback(plain)}` });
    await expect(upstream.request(get)).rejects.toMatchObject({
      status: 502,
      message: expect.stringContaining('could not be reached over TLS'),
    });
    await upstream.close();
    plain.close();
  });
});

describe('a body that breaks off', () => {
  it.each<[string, readonly Step[]]>([
    ['before its announced length', [head(200, ['Content-Length: 10']), send('12345'), fin()]],
    ['by a reset', [head(200, ['Content-Length: 10']), send('12345'), rst()]],
    ['before the last chunk', [head(200, ['Transfer-Encoding: chunked']), chunk('12345'), fin()]],
    ['by a chunk that is none', [head(200, ['Transfer-Encoding: chunked']), chunk('12345'), send('zz\r\n')]],
    ['by silence', [head(200, ['Content-Length: 10']), send('12345'), hang()]],
  ])('%s errors and never ends as if it were whole', async (_name, steps) => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, steps);
    const upstream = createUpstream({ name: 'hub', url: registry.url, timeouts: { stall: 200 } });
    const { body } = await upstream.request(get);
    const error = await within('the body to error', buffer(body)).catch((reason) => reason);
    expect(error).toBeInstanceOf(RegistryError);
    expect(error.cause).toBeInstanceOf(Error);
    await upstream.close();
  });

  it('before anybody reads it still gives its error to a later reader', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [head(200, ['Content-Length: 10']), send('12345'), rst()]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const { body } = await upstream.request(get);
    await registry.connectionClosed(1);
    await settled(() => registry.inFlight);
    await expect(within('the body to error', buffer(body))).rejects.toBeInstanceOf(RegistryError);
    await upstream.close();
  });
});

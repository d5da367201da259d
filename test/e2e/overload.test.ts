import { once } from 'node:events';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barrier, within } from '../support/deadline.ts';
import { jsonAnswer } from '../support/double/message.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { sampleImage, sha256 } from '../support/images.ts';
import { type LimitedManifix, startLimitedManifix } from '../support/limited-manifix.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';
import { fromCache } from './answers.ts';
import { firstError } from './registry-errors.ts';
import { freshBytes } from './streaming-client.ts';

const CLIENTS = 500;
const bytes = freshBytes(1024 * 1024);

type Outcome = 'served' | 'told to come back' | 'closed';

/** What became of a request in a flood. @throws for an answer that nobody should get */
async function outcomeOf(asking: Promise<HttpAnswer>, isRight: (answer: HttpAnswer) => boolean): Promise<Outcome> {
  let answer: HttpAnswer;
  try {
    answer = await asking;
  } catch (error) {
    if (/ECONNRESET|EPIPE/.test((error as NodeJS.ErrnoException).code ?? '')) return 'closed';
    throw error;
  }
  if (isRight(answer)) return 'served';
  expect({ status: answer.status, retryAfter: answer.header('Retry-After') }).toEqual({ status: 503, retryAfter: '1' });
  expect(firstError(answer.body)).toMatchObject({ code: 'UNAVAILABLE' });
  return 'told to come back';
}

/** It passes through on a connection of its own; what manifix asks for itself waits for one of a few. */
const EXTENSION = '/v2/_example/extension';

describe('F53: manifix with 256 file descriptors and 500 clients at once', () => {
  /** The registry answers about its extension only when manifix has run out of descriptors. */
  const exhausted = barrier();
  let registry: RegistryDouble;
  let manifix: LimitedManifix;
  let blob: string;

  beforeAll(async () => {
    registry = await startRegistryDouble({
      intercept: async (request, respondNormally) => {
        if (request.path !== EXTENSION) return respondNormally();
        await exhausted.passed;
        return jsonAnswer(200, {});
      },
    });
    registry.content.addImage('app', 'latest', sampleImage('oci-amd64'));
    blob = `/v2/app/blobs/${registry.content.putBlob('app', bytes)}`;
    manifix = await startLimitedManifix(registry.url, 256);
    await fromCache(() => exchange(manifix.url, { target: blob }));
  });
  afterAll(async () => {
    await manifix?.[Symbol.asyncDispose]();
    await registry?.stop();
  });

  const flood = async (target: string | readonly string[], isRight: (answer: HttpAnswer) => boolean) => {
    const targets = typeof target === 'string' ? Array<string>(CLIENTS).fill(target) : target;
    const asked = targets.map((each) => outcomeOf(exchange(manifix.url, { target: each }), isRight));
    const outcomes = await within('the end of the flood', Promise.all(asked), 90_000);
    const count = (wanted: Outcome) => outcomes.filter((outcome) => outcome === wanted).length;
    return { served: count('served'), toldToComeBack: count('told to come back'), closed: count('closed') };
  };
  const metric = async (name: string) => {
    const { body } = await exchange(manifix.adminUrl, { target: '/metrics' });
    const line = body
      .toString()
      .split('\n')
      .find((text) => text.startsWith(`${name} `));
    return Number(line?.split(' ')[1]);
  };

  it('serves as many as it can, tells others to come back, closes on the rest, and counts both', async () => {
    const { served, toldToComeBack, closed } = await flood(
      blob,
      (answer) => answer.status === 200 && answer.body.equals(bytes),
    );
    expect(served).toBeGreaterThanOrEqual(100);
    // A process that comes late to accept them has them one after the other: it may serve all, and turn nobody away.
    expect(await metric('manifix_connections_refused_total{how="answered"}')).toBe(toldToComeBack);
    expect(await metric('manifix_connections_refused_total{how="closed"}')).toBe(closed);
  });

  it('lives through a flood in which every request needs the registry', async () => {
    const { served } = await flood(EXTENSION, (answer) => {
      if (answer.body.includes('run out of file descriptors')) exhausted.release();
      return answer.status === 200;
    });
    expect(served).toBeGreaterThan(0);
  });

  it('lives through a flood in which every client wants another cold blob', async () => {
    const blobs = Array.from({ length: CLIENTS }, () => registry.content.putBlob('app', freshBytes(100_000)));
    const digests = new Set<string>(blobs);
    const { served } = await flood(
      blobs.map((digest) => `/v2/app/blobs/${digest}`),
      (answer) => answer.status === 200 && digests.has(sha256(answer.body)),
    );
    expect(served).toBeGreaterThan(0);
  });

  it('serves everything again as soon as the flood is over', async () => {
    for (let round = 0; round < 3; round += 1) {
      expect((await exchange(manifix.url, { target: blob })).body.equals(bytes)).toBe(true);
      expect((await exchange(manifix.url, { target: '/v2/app/manifests/latest' })).status).toBe(200);
      expect((await exchange(manifix.url, { target: EXTENSION })).status).toBe(200);
    }
    const cold = `/v2/app/blobs/${registry.content.putBlob('app', freshBytes(100_000))}`;
    expect((await exchange(manifix.url, { target: cold })).status).toBe(200);
    await fromCache(() => exchange(manifix.url, { target: cold }));
    // What is kept for later, files and connections to the registry, leaves room for clients.
    const { served } = await flood(blob, (answer) => answer.status === 200 && answer.body.equals(bytes));
    expect(served).toBeGreaterThanOrEqual(100);
    const ready = await exchange(manifix.adminUrl, { target: '/readyz' });
    expect(JSON.parse(ready.body.toString())).toEqual({ status: 'ok' });
  });

  // The time is that of the limits themselves: 15 seconds, looked at every 5 seconds.
  it('ends connections whose head, manifest or request for a token never comes, and says so', async () => {
    const talk = async (text: string) => {
      const socket = connect(manifix.port, '127.0.0.1');
      await within('a connection', once(socket, 'connect'));
      socket.write(text);
      return (await within('the end of the connection', buffer(socket), 90_000)).toString();
    };
    const head = 'PUT /v2/app/manifests/latest HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
    const [noHead, noForm, noBody, ...half] = await Promise.all([
      talk(head),
      talk('POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\ngrant_type='),
      talk(`${head}Content-Length: 100\r\n\r\n`),
      ...Array.from({ length: 50 }, () => talk(`${head}Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":`)),
    ]);
    expect(noHead).toMatch(/^HTTP\/1\.1 408 .*the request did not arrive in time/s);
    expect(noForm).toMatch(/^HTTP\/1\.1 408 .*the request for a token did not arrive in time/s);
    for (const answer of [noBody, ...half]) {
      expect(answer).toMatch(/^HTTP\/1\.1 408 .*\r\nConnection: close\r\n.*MANIFEST_INVALID/s);
    }
  });
});

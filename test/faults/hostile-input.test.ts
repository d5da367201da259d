import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rawExchange } from '../e2e/raw-socket.ts';
import { firstError } from '../e2e/registry-errors.ts';
import { answerTo, startRequest } from '../e2e/streaming-client.ts';
import { eventually } from '../support/deadline.ts';
import { exchange } from '../support/http.ts';
import { manifestTypes, mediaTypes, sampleImage, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';
import { head, send } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';

const CRLF = '\r\n';
const MIB = 1024 * 1024;
const accept = { Accept: manifestTypes.join(', ') };
const OCI = mediaTypes.ociIndex;

let registry: RegistryDouble;
let manifix: Manifix;

beforeAll(async () => {
  registry = await startRegistryDouble();
  registry.content.addImage('team/app', 'good', sampleImage('oci-amd64'));
  const fixes = { 'list-for-image-only-client': 'on' };
  manifix = await startManifix({ config: { upstreams: { registry: { url: registry.url } }, fixes } });
});
afterAll(() => Promise.all([manifix.stop(), registry.stop()]));

const pull = (reference: string, headers: Readonly<Record<string, string>> = accept, method = 'GET') =>
  exchange(manifix.url, { method, target: `/v2/team/app/manifests/${reference}`, headers });
function add(tag: string, document: Buffer | string, mediaType: string = OCI): string {
  return registry.content.putManifest('team/app', tag, { bytes: Buffer.from(document), mediaType });
}
/** A client with nothing special about it gets its image. */
async function expectUnaffected(): Promise<void> {
  const answer = await pull('good');
  expect([answer.status, answer.body]).toEqual([200, sampleImage('oci-amd64').bytes]);
}

describe('F67: targets and fields beyond all measure', () => {
  const get = (target: string, fields = '') =>
    `GET ${target} HTTP/1.1${CRLF}Host: a${CRLF}${fields}Connection: close${CRLF}${CRLF}`;

  it.each([
    ['a field of 17 KiB', get('/v2/team/app/manifests/good', `X: ${'x'.repeat(17 * 1024)}${CRLF}`), 200],
    ['2,001 fields', get('/v2/', `X: x${CRLF}`.repeat(2001)), 431],
    ['a path of 17 KiB', get(`/v2/${'a/'.repeat(8700)}manifests/1`), 414],
    ['dots that are encoded', get('/v2/%2e%2e/%2e%2e/etc/passwd'), 400],
    ['a slash that is encoded twice', get('/v2/a%252fb/manifests/1'), 400],
    ['NUL', get('/v2/a%00/manifests/1'), 400],
    ['overlong UTF-8', get('/v2/a\xc0\xaf\xc0\xae/manifests/1'), 400],
    ['overlong UTF-8 that is encoded', get('/v2/a%c0%af/manifests/1'), 400],
  ])('%s', async (_, message, status) => {
    const answer = await rawExchange(manifix.host, message);
    expect(answer.status).toBe(status);
    if (status !== 200) expect(firstError(answer.body).message).not.toBe('');
    await expectUnaffected();
  });
});

describe('F73: fields of one client', () => {
  it.each([
    ['are long', { 'X-Long': 'x'.repeat(12 * 1024) }],
    ['override the method', { 'X-HTTP-Method-Override': 'DELETE', 'X-HTTP-Method': 'HEAD' }],
    [
      'override the path',
      { 'X-Original-URL': '/v2/other/', 'X-Rewrite-URL': '/v2/other/', 'X-Forwarded-Host': 'evil.test' },
    ],
    ['ask for a part', { Range: 'bytes=0-0', 'If-Range': '"x"' }],
    ['have a condition', { 'If-Match': '"x"', 'If-Unmodified-Since': 'Thu, 01 Jan 1970 00:00:00 GMT' }],
    ['expect what there is not', { TE: 'trailers', 'Accept-Encoding': 'gzip, x', 'Accept-Language': 'x' }],
  ])('that %s leave the answer of the next client alone', async (_, fields) => {
    for (let time = 0; time < 10; time += 1) {
      const tag = `cpdos-${Object.keys(fields)[0]}-${time}`;
      const { bytes, mediaType } = sampleImage('oci-amd64');
      add(tag, bytes, mediaType);
      await pull(tag, { ...accept, ...(fields as Record<string, string>) });
      const next = await pull(tag);
      expect([next.status, next.body]).toEqual([200, bytes]);
    }
  });
});

describe('F75: giant manifests', () => {
  it.each([3.9, 4.1, 9])('of %d MiB come whole', async (size) => {
    const document = `{"schemaVersion":2,"mediaType":"${OCI}","manifests":[],"a":"${'x'.repeat(size * 1024 * 1024)}"}`;
    const digest = add(`giant-${size}`, document);
    for (const reference of [`giant-${size}`, digest]) expect(sha256((await pull(reference)).body)).toBe(digest);
  });

  it('are refused with 413 when they are pushed', async () => {
    const body = Buffer.alloc(20 * 1024 * 1024, ' ');
    const answer = await exchange(manifix.url, {
      method: 'PUT',
      target: '/v2/team/app/manifests/giant',
      headers: { 'Content-Type': OCI },
      body,
    });
    expect(answer.status).toBe(413);
    await expectUnaffected();
  });
});

describe('F75: a manifest of 100 MiB', () => {
  const part = Buffer.alloc(MIB, 'x');
  const start = Buffer.from(`{"schemaVersion":2,"mediaType":"${OCI}","manifests":[],"a":"`);
  const parts = [start, ...Array<Buffer>(100).fill(part), Buffer.from('"}')];
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  const hash = () => createHash('sha256');
  const digest = `sha256:${parts.reduce((sum, bytes) => sum.update(bytes), hash()).digest('hex')}`;

  it.each(['1', digest])('is fetched no faster than the client reads, and comes whole: %s', async (reference) => {
    await using upstream = await startScriptedUpstream();
    const announced = head(200, [`Content-Type: ${OCI}`, `Content-Length: ${size}`]);
    upstream.on('HEAD', /manifests/, [announced]);
    upstream.on('GET', /manifests/, [announced, ...parts.map(send)]);
    await using own = await startManifix({ upstream: upstream.url });
    const outgoing = startRequest(`${own.url}/v2/a/manifests/${reference}`, { method: 'GET', headers: accept });
    outgoing.end();
    const answer = await answerTo(outgoing);
    const sent = () => Math.max(...upstream.connections.map(({ bytesWritten }) => bytesWritten));
    await eventually('more was sent than is buffered for repairs', async () => sent() > 8 * MIB || undefined);
    for (let time = 0; time < 50; time += 1) await exchange(own.adminUrl, { target: '/metrics' });
    // What the kernel holds for the two connections is part of it.
    expect(sent()).toBeLessThan(48 * MIB);
    const received = hash();
    for await (const bytes of answer) received.update(bytes as Buffer);
    expect(`sha256:${received.digest('hex')}`).toBe(digest);
  });
});

describe('F76: JSON that nests without end', () => {
  it.each([
    ['an array', '['.repeat(100_000)],
    ['an object', '{"a":'.repeat(100_000)],
    ['a member of a manifest', `{"schemaVersion":2,"manifests":[],"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ])('as %s is an error, pulled or pushed', async (name, document) => {
    add(`deep-${name.length}`, document);
    const answer = await pull(`deep-${name.length}`);
    expect([answer.status, firstError(answer.body).explanation]).toEqual([
      502,
      expect.stringContaining('nested deeper'),
    ]);
    const pushed = await exchange(manifix.url, {
      method: 'PUT',
      target: '/v2/team/app/manifests/deep',
      body: document,
    });
    expect(pushed.status).toBeLessThan(500);
    await expectUnaffected();
  });
});

describe('F77: repeated and case-variant keys', () => {
  it.each([
    '{"schemaVersion":2,"manifests":[],"manifests":[]}',
    '{"schemaVersion":2,"manifests":[], "Manifests":[]}',
    '{"schemaVersion":2,"MediaType":"x","manifests":[]}',
  ])('leave every byte where it is: %s', async (document) => {
    const tag = `keys-${sha256(document).slice(-8)}`;
    const digest = add(tag, document);
    const answer = await pull(tag);
    expect([answer.body.toString(), answer.header('Docker-Content-Digest')]).toEqual([document, digest]);
  });
});

describe('F78: a document of two kinds', () => {
  it.each(['"config":{}', '"layers":[]', '"fsLayers":[]', '"Layers":[]'])(
    'with manifests and %s is refused',
    async (member) => {
      const digest = add('two', `{"schemaVersion":2,"mediaType":"${OCI}","manifests":[],${member}}`);
      for (const reference of ['two', digest]) {
        const answer = await pull(reference);
        expect([answer.status, firstError(answer.body).code]).toEqual([502, 'MANIFEST_INVALID']);
      }
    },
  );
});

describe('F79: odd bytes', () => {
  it.each([
    ['a byte order mark', '\ufeff{"schemaVersion":2,"manifests":[]}'],
    ['bytes behind the end', '{"schemaVersion":2,"manifests":[]}{}'],
    ['UTF-16', Buffer.from('{"schemaVersion":2,"manifests":[]}', 'utf16le')],
    ['a lone surrogate', '{"schemaVersion":2,"manifests":[],"a":"\\ud800"}'],
    ['a number beyond all numbers', '{"schemaVersion":2,"manifests":[],"a":1e400}'],
    [
      'a size of 2^53 + 1',
      `{"schemaVersion":2,"manifests":[{"mediaType":"x/y","digest":"${sha256('')}","size":9007199254740993}]}`,
    ],
    ['a negative size', `{"schemaVersion":2,"manifests":[{"mediaType":"x/y","digest":"${sha256('')}","size":-1}]}`],
  ])('(%s) are refused or come as they are, and by digest never change', async (name, document) => {
    const digest = add(`odd-${name.length}`, document);
    for (const reference of [digest, `odd-${name.length}`]) {
      const answer = await pull(reference);
      if (answer.status !== 200) expect(answer.status).toBe(502);
      else if (reference === digest) expect(sha256(answer.body)).toBe(digest);
      else expect(answer.header('Docker-Content-Digest')).toBe(sha256(answer.body));
    }
  });
});

describe('F80: keys of JavaScript', () => {
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%s is a key like any other', async (key) => {
    const document = `{"schemaVersion":2,"mediaType":"${OCI}","manifests":[],"${key}":{"polluted":1}}`;
    add(`key-${key}`, document);
    expect((await pull(`key-${key}`)).body.toString()).toBe(document);
    await expectUnaffected();
  });
});

describe('F81: a hundred thousand keys', () => {
  it('are read like few', async () => {
    const keys = Array.from({ length: 100_000 }, (_, at) => `"${at * 65_536}":0`).join(',');
    const digest = add('many-keys', `{"schemaVersion":2,"mediaType":"${OCI}","manifests":[],"a":{${keys}},${keys}}`);
    expect(sha256((await pull('many-keys')).body)).toBe(digest);
    await expectUnaffected();
  });
});

describe('F83: an index that asks for more than it is worth', () => {
  const onlyImages = { Accept: mediaTypes.ociManifest };
  const child = (digest: string, architecture: string) => ({
    mediaType: OCI,
    digest,
    size: 1,
    platform: { os: 'linux', architecture },
  });
  const index = (manifests: readonly unknown[]) => JSON.stringify({ schemaVersion: 2, mediaType: OCI, manifests });

  it.each([
    [
      'with a thousand platforms',
      () => index(Array.from({ length: 1000 }, (_, at) => child(sha256(`${at}`), `arch${at}`))),
    ],
    ['of itself', () => index([child(sha256('itself'), 'amd64')])],
    [
      'nested ten times',
      () => {
        let inner = add('nested', index([]));
        for (let depth = 0; depth < 10; depth += 1) inner = add('nested', index([child(inner, 'amd64')]));
        return index([child(inner, 'amd64')]);
      },
    ],
  ])('%s costs a handful of requests', async (name, document) => {
    add(`bomb-${name.length}`, document());
    const before = registry.requests.length;
    const answer = await pull(`bomb-${name.length}`, onlyImages);
    expect(answer.status).toBeLessThan(600);
    expect(registry.requests.length - before).toBeLessThanOrEqual(16);
    await expectUnaffected();
  });
});

describe('F84: a tag that moves all the time', () => {
  it('gives each client one manifest with its own digest', async () => {
    await using moving = await startManifix({
      config: { upstreams: { registry: { url: registry.url } }, cache: { tagTtl: '0s' } },
    });
    const images = [sampleImage('oci-amd64'), sampleImage('docker-amd64')];
    const asked = Array.from({ length: 100 }, async (_, at) => {
      const image = images[at % 2] ?? sampleImage('oci-amd64');
      registry.content.addImage('team/app', 'flaps', image);
      const method = at % 3 === 0 ? 'HEAD' : 'GET';
      const target = '/v2/team/app/manifests/flaps';
      return { method, answer: await exchange(moving.url, { method, target, headers: accept }) };
    });
    for (const { method, answer } of await Promise.all(asked)) {
      const digest = answer.header('Docker-Content-Digest');
      const image = images.find((one) => one.digest === digest);
      expect([answer.status, answer.header('Content-Type')]).toEqual([200, image?.mediaType]);
      expect(answer.header('Content-Length')).toBe(String(image?.bytes.length));
      if (method === 'GET') expect(sha256(answer.body)).toBe(digest);
    }
  });
});

describe('F85: a digest that comes with another type the next time', () => {
  it('keeps the type of its bytes', async () => {
    const document = `{"schemaVersion":2,"mediaType":"${OCI}","manifests":[],"annotations":{"a":"b"}}`;
    const digest = add('typed', document);
    const types = [];
    for (const type of [OCI, mediaTypes.ociManifest, 'application/json', OCI]) {
      registry.content.putManifest('team/app', 'typed', { bytes: Buffer.from(document), mediaType: type });
      for (const method of ['HEAD', 'GET']) types.push((await pull(digest, accept, method)).header('Content-Type'));
    }
    expect(new Set(types)).toEqual(new Set([OCI]));
  });
});

import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange } from '../support/http.ts';
import { sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { rawExchange } from './raw-socket.ts';
import { firstError } from './registry-errors.ts';

const digest = sha256('');
const hex = digest.slice('sha256:'.length);

/** Each target with the code of the error that it gets. */
const targets: readonly (readonly [code: string, target: string])[] = [
  ['NAME_INVALID', '/v2/../etc/passwd'],
  ['NAME_INVALID', '/v2/a/../../b/manifests/1'],
  ['NAME_INVALID', '/v2/a/./b/manifests/1'],
  ['NAME_INVALID', '/v2/%2e%2e/manifests/1'],
  ['NAME_INVALID', '/v2/a/%2E./manifests/1'],
  ['NAME_INVALID', '/v2/a%2F%2Fb/manifests/1'],
  ['NAME_INVALID', '/v2/a%2f..%2fb/manifests/1'],
  ['NAME_INVALID', '/v2/a%5Cb/manifests/1'],
  ['NAME_INVALID', '/v2/a\\b/manifests/1'],
  ['NAME_INVALID', '/v2/a%00/manifests/1'],
  ['NAME_INVALID', '/v2/a/manifests/1%00'],
  ['NAME_INVALID', '/v2/a%252e%252e/manifests/1'],
  ['NAME_INVALID', '/v2/a/blobs/uploads/..%2f..%2fx'],
  ['NAME_INVALID', '/v2/a/manifests/<script>'],
  ['NAME_INVALID', '/v2/a%zz/manifests/1'],
  ['NAME_INVALID', '/v2/Upper/manifests/1'],
  ['NAME_INVALID', '/v2/a//b/_ext'],
  ['NAME_INVALID', '/v2/-a/manifests/1'],
  ['NAME_INVALID', '/v2/a___b/tags/list'],
  ['NAME_INVALID', `/v2/${'a'.repeat(256)}/manifests/1`],
  ['NAME_INVALID', `/v2/${'a/'.repeat(10_000)}manifests/1`],
  ['NAME_UNKNOWN', '/'],
  ['NAME_UNKNOWN', '/metrics'],
  ['NAME_UNKNOWN', '/V2/a/manifests/1'],
  ['NAME_INVALID', '//elsewhere.test/v2/a/manifests/1'],
  ['MANIFEST_UNKNOWN', '/v2/a/manifests/.hidden'],
  ['MANIFEST_UNKNOWN', `/v2/a/manifests/${'t'.repeat(129)}`],
  ['DIGEST_INVALID', '/v2/a/manifests/sha256:abc'],
  ['DIGEST_INVALID', `/v2/a/manifests/sha256:${hex.toUpperCase()}`],
  ['DIGEST_INVALID', `/v2/a/manifests/md5:${hex.slice(0, 32)}`],
  ['DIGEST_INVALID', `/v2/a/blobs/${hex}`],
  ['DIGEST_INVALID', `/v2/a/blobs/sha256:${hex}0`],
  ['DIGEST_INVALID', `/v2/a/blobs/sha256:..%3A${hex}`],
  ['DIGEST_INVALID', `/v2/a/referrers/${hex}`],
];

const close = 'Connection: close\r\n\r\n';
const get = '/v2/a/manifests/1 HTTP/1.1\r\nHost: a\r\n';
/** Messages that are not the HTTP/1.1 that a registry client speaks. */
const messages: readonly (readonly [name: string, status: number, message: string | Buffer])[] = [
  ['a TLS hello', 400, Buffer.from('16030100a5010000a10303', 'hex')],
  ['words', 400, 'hello there\r\n\r\n'],
  ['no Host', 400, `GET /v2/a/manifests/1 HTTP/1.1\r\n${close}`],
  ['two Hosts', 400, `GET ${get}Host: b\r\n${close}`],
  ['two lengths', 400, `PUT ${get}Content-Length: 1\r\nContent-Length: 2\r\n${close}x`],
  ['a length and chunks', 400, `PUT ${get}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n${close}0\r\n\r\n`],
  ['a length that is no number', 400, `PUT ${get}Content-Length: 1x\r\n${close}x`],
  ['a folded field', 400, `GET ${get}X-A: 1\r\n 2\r\n${close}`],
  ['a blank in front of a colon', 400, `GET ${get}X-A : 1\r\n${close}`],
  ['a bare line feed in a field', 400, `GET ${get}X-A: 1\nX-B\r\n${close}`],
  ['NUL in a field', 400, `GET ${get}X-A: 1\0\r\n${close}`],
  ['fields over 64 KiB', 431, `GET ${get}X-A: ${'a'.repeat(70_000)}\r\n${close}`],
  ['a target over 64 KiB', 431, `GET /v2/${'a'.repeat(70_000)} HTTP/1.1\r\nHost: a\r\n${close}`],
  ['a blank in the target', 400, `GET /v2/a /manifests/1 HTTP/1.1\r\nHost: a\r\n${close}`],
  ['TRACE', 405, `TRACE ${get}${close}`],
  ['an unknown method', 400, `BREW ${get}${close}`],
  ['a tunnel', 405, `CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n${close}`],
  ['HTTP/2 without TLS', 400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
];

describe('bad requests', () => {
  let upstream: ScriptedUpstream;
  let manifix: Manifix;
  let before: readonly string[];

  beforeAll(async () => {
    upstream = await startScriptedUpstream();
    manifix = await startManifix({ upstream: upstream.url });
    before = await listing();
  });
  afterAll(() => Promise.all([manifix.stop(), upstream.stop()]));

  const listing = async () => (await readdir(manifix.cacheDir, { recursive: true })).sort();

  it.each(targets)('get %s for %s', async (code, target) => {
    for (const method of ['GET', 'PUT', 'DELETE', 'POST']) {
      const { status, body } = await rawExchange(manifix.host, `${method} ${target} HTTP/1.1\r\nHost: a\r\n${close}`);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      const error = firstError(body);
      expect(error.code, `${method} ${body}`).toBe(code);
      expect(error.explanation ?? error.message).not.toBe('');
    }
  });

  it.each(messages)('that are %s get %i and an OCI error', async (_, status, message) => {
    const answer = await rawExchange(manifix.host, message);
    expect([answer.status, firstError(answer.body).code]).toEqual([status, expect.stringMatching(/^[A-Z_]+$/)]);
  });

  it('never reach the registry or the disk, and the next good one is answered', async () => {
    expect(upstream.requests).toEqual([]);
    expect(await listing()).toEqual(before);
    expect((await exchange(manifix.url, { target: '/v2/a/tags/list' })).status).toBe(404);
    expect(upstream.requests).toHaveLength(1);
  });
});

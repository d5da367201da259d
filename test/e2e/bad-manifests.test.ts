import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headerValue } from '../support/headers.ts';
import { exchange } from '../support/http.ts';
import { manifestTypes, mediaTypes, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';
import { firstError } from './registry-errors.ts';

const accept = { Accept: manifestTypes.join(', ') };
const DEPTH = 100_000;
const index = `"schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","manifests":[]`;
const utf8 = (text: string) => Buffer.from(text);

/** Documents that readers of JSON disagree about, or choke on. */
const documents: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['nested 100,000 deep', utf8(`{${index},"a":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}}`)],
  ['objects nested 100,000 deep', utf8(`{${index},"a":${'{"a":'.repeat(DEPTH)}1${'}'.repeat(DEPTH)}}`)],
  ['100,000 open brackets', utf8('['.repeat(DEPTH))],
  ['a repeated member', utf8(`{${index},"manifests":[{}]}`)],
  ['a repeated mediaType', utf8(`{"mediaType":"${mediaTypes.ociManifest}",${index}}`)],
  ['a member in capitals', utf8(`{"schemaVersion":2,"MEDIATYPE":"${mediaTypes.ociIndex}","manifests":[]}`)],
  ['an escaped repetition of a member', utf8(`{${index},"manifest\\u0073":[]}`)],
  ['a byte order mark', utf8(`\ufeff{${index}}`)],
  ['invalid UTF-8', Buffer.from(`{${index},"a":"\xff\xfe"}`, 'latin1')],
  ['UTF-16', Buffer.from(`{${index}}`, 'utf16le')],
  ['numbers beyond 2^53', utf8(`{${index},"a":9007199254740993,"b":1e400,"c":-0.0}`)],
  ['__proto__', utf8(`{${index},"__proto__":{"schemaVersion":1,"toString":1}}`)],
  ['constructor and prototype', utf8(`{${index},"constructor":{"prototype":{"a":1}}}`)],
  ['something behind the document', utf8(`{${index}}{}`)],
  ['a comment', utf8(`{/* */${index}}`)],
  ['a lone surrogate', utf8(`{${index},"a":"\\ud800"}`)],
  ['no bytes at all', utf8('')],
  ['null', utf8('null')],
];

describe('odd manifests', () => {
  let registry: RegistryDouble;
  let manifix: Manifix;

  beforeAll(async () => {
    registry = await startRegistryDouble();
    manifix = await startManifix({ upstream: registry.url });
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop()]));

  const isAlive = async () => (await exchange(manifix.url, { target: '/v2/' })).status === 200;

  it.each(documents)('are pulled byte for byte or refused, never half changed: %s', async (name, bytes) => {
    const tag = name.replaceAll(/\W/g, '-');
    const digest = registry.content.putManifest('app', tag, { bytes, mediaType: mediaTypes.ociIndex });
    for (const reference of [tag, digest]) {
      const answer = await exchange(manifix.url, { target: `/v2/app/manifests/${reference}`, headers: accept });
      if (answer.status === 200) expect(answer.body.equals(bytes), reference).toBe(true);
      else expect([answer.status, firstError(answer.body).explanation]).toEqual([502, expect.any(String)]);
      if (answer.status === 200) expect(answer.header('Docker-Content-Digest')).toBe(digest);
    }
  });

  it.each(documents)('are pushed byte for byte or refused: %s', async (_, bytes) => {
    const before = registry.requests.length;
    const answer = await exchange(manifix.url, {
      method: 'PUT',
      target: '/v2/pushed/manifests/odd',
      headers: { 'Content-Type': mediaTypes.ociIndex },
      body: bytes,
    });
    const forwarded = registry.requests.slice(before).filter(({ method }) => method === 'PUT');
    expect(forwarded.every(({ body }) => body.equals(bytes))).toBe(true);
    if (answer.status === 201) expect(answer.header('Docker-Content-Digest')).toBe(sha256(bytes));
    else expect([answer.status, firstError(answer.body).code]).toEqual([400, 'MANIFEST_INVALID']);
    expect(await isAlive()).toBe(true);
  });

  it('that could be an index and an image are refused both ways, and the registry does not see them', async () => {
    for (const extra of ['"config":{}', '"layers":[]', '"fsLayers":[]']) {
      const body = `{${index},${extra}}`;
      const put = await exchange(manifix.url, { method: 'PUT', target: '/v2/pushed/manifests/both', body });
      expect([put.status, firstError(put.body).code]).toEqual([400, 'MANIFEST_INVALID']);
      const digest = registry.content.putManifest('app', 'both', { bytes: utf8(body), mediaType: mediaTypes.ociIndex });
      for (const reference of ['both', digest]) {
        const got = await exchange(manifix.url, { target: `/v2/app/manifests/${reference}`, headers: accept });
        expect([got.status, firstError(got.body).code]).toEqual([502, 'MANIFEST_INVALID']);
      }
    }
    expect(
      registry.requests.filter(({ target }) => target.endsWith('/manifests/both') && target.includes('pushed')),
    ).toEqual([]);
  });

  it('over the limit are refused when pushed, unseen by the registry', async () => {
    const body = `{${index},"a":"${'x'.repeat(9 * 1024 * 1024)}"}`;
    const before = registry.requests.length;
    const answer = await exchange(manifix.url, { method: 'PUT', target: '/v2/pushed/manifests/large', body });
    expect([answer.status, firstError(answer.body).code]).toEqual([413, 'MANIFEST_INVALID']);
    expect(registry.requests.length).toBe(before);
    expect(await isAlive()).toBe(true);
  });

  it('over the limit pass byte for byte when pulled', async () => {
    const bytes = utf8(`{${index},"a":"${'x'.repeat(9 * 1024 * 1024)}"}`);
    const digest = registry.content.putManifest('app', 'huge', { bytes, mediaType: mediaTypes.ociIndex });
    for (const reference of ['huge', digest]) {
      const answer = await exchange(manifix.url, { target: `/v2/app/manifests/${reference}`, headers: accept });
      expect([answer.status, sha256(answer.body)]).toEqual([200, digest]);
    }
  });

  it('with hundreds of fields in Accept are asked for all the same', async () => {
    registry.content.putManifest('app', 'fields', { bytes: utf8(`{${index}}`), mediaType: mediaTypes.ociIndex });
    const lines = Array.from({ length: 300 }, (_, line) => ['Accept', `a/b${line}`] as const);
    const answer = await exchange(manifix.url, { target: '/v2/app/manifests/fields', headers: lines });
    expect(answer.status).toBe(200);
    const seen = registry.requests.findLast(({ target }) => target === '/v2/app/manifests/fields');
    expect(headerValue(seen?.headers ?? [], 'Accept')).toContain(mediaTypes.ociIndex);
  });
});

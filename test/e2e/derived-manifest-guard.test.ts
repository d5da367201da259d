import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { within } from '../support/deadline.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { manifestTypes, mediaTypes, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';

const accept = { Accept: manifestTypes.join(', ') };
const inserted = `{"mediaType":"${mediaTypes.ociIndex}",`;

/** An index without mediaType that no other test has. */
function indexNamed(name: string): Buffer {
  return Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [], annotations: { name } }));
}

describe('deriving a manifest', () => {
  let registry: RegistryDouble;
  let manifix: Manifix;

  beforeAll(async () => {
    registry = await startRegistryDouble();
    manifix = await startManifix({ upstream: registry.url, env: { MANIFIX_CACHE_TAG_TTL: '0s' } });
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop()]));

  const store = (tag: string, bytes: Buffer, mediaType: string = mediaTypes.ociIndex) =>
    registry.content.putManifest('app', tag, { bytes, mediaType });
  const ask = (reference: string, method = 'GET'): Promise<HttpAnswer> =>
    exchange(manifix.url, { method, target: `/v2/app/manifests/${reference}`, headers: accept });

  it.each([
    [
      '{"schemaVersion":2,"manifests":[]}',
      'sha256:bc5857ac9458293d5111ab85c952172cd7f56bceb4e3014ddc4cafac8927b313',
      'sha256:3a56d0519f24aa98fb69399bb0e67c0fe8184a9d9525a888c29d8b4cfdb397c0',
    ],
    [
      '{\n  "schemaVersion": 2,\n  "manifests": []\n}\n',
      'sha256:54b74d3c7e1efaaddcb0790078260ccd43c84f53bf305c03f43b8acf8b4702dc',
      'sha256:ab6949130109b8dd2feb55333c5eb79c970df463848cdc0200a75ca33f03ae00',
    ],
  ])('makes of %j always the same digest', async (text, original, derived) => {
    expect(store('vector', Buffer.from(text))).toBe(original);
    const answer = await ask('vector');
    expect(answer.body.toString()).toBe(text.replace('{', inserted));
    expect([sha256(answer.body), answer.header('Docker-Content-Digest')]).toEqual([derived, derived]);
  });

  it.each([
    ['a case variant of a known member', '{"schemaVersion":2,"MediaType":"x","manifests":[]}'],
    ['a repeated member', '{"schemaVersion":2,"manifests":[],"manifests":[]}'],
    ['an empty object', '{}'],
    ['schema version 1', '{"schemaVersion":1,"manifests":[]}'],
    ['a schema version that is no integer', '{"schemaVersion":2.0,"manifests":[]}'],
    ['a child without a digest', '{"schemaVersion":2,"manifests":[{"mediaType":"a/b","size":1}]}'],
    [
      'a child with a size that is no number',
      `{"schemaVersion":2,"manifests":[{"mediaType":"a/b","size":"1","digest":"${sha256('')}"}]}`,
    ],
    ['signatures', '{"schemaVersion":2,"manifests":[],"signatures":[]}'],
    ['a __proto__ member that hides another', '{"schemaVersion":2,"__proto__":{"manifests":[]}}'],
  ])('leaves %s as it is', async (_, text) => {
    const bytes = Buffer.from(text);
    const digest = store('negative', bytes);
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask('negative', method);
      expect([answer.status, answer.header('Docker-Content-Digest')]).toEqual([200, digest]);
      expect(answer.body).toEqual(method === 'GET' ? bytes : Buffer.alloc(0));
    }
  });

  it.each([
    [
      'an index that is also an image',
      Buffer.from('{"schemaVersion":2,"manifests":[],"config":{}}'),
      'MANIFEST_INVALID',
    ],
    ['a byte order mark', Buffer.from('\ufeff{"schemaVersion":2,"manifests":[]}'), 'UNKNOWN'],
    ['an array', Buffer.from('[]'), 'UNKNOWN'],
    ['bytes that are not UTF-8', Buffer.from('{"schemaVersion":2,"manifests":[],"a":"\xff"}', 'latin1'), 'UNKNOWN'],
  ])('refuses %s', async (_, bytes, code) => {
    store('refused', bytes);
    const answer = await ask('refused');
    expect([answer.status, JSON.parse(answer.body.toString()).errors[0].code]).toEqual([502, code]);
  });

  it('never grows a manifest over 4 MiB', async () => {
    const padding = 4 * 1024 * 1024 - indexNamed('').length - 10;
    const bytes = indexNamed('x'.repeat(padding));
    expect(bytes.length).toBeLessThan(4 * 1024 * 1024);
    const digest = store('large', bytes);
    const answer = await ask('large');
    expect([answer.status, answer.header('Docker-Content-Digest'), answer.body.length]).toEqual([
      200,
      digest,
      bytes.length,
    ]);
  });

  it.each(['.sig', '.att', '.sbom', ''])('is not done when sha256-<digest>%s is a tag', async (suffix) => {
    const bytes = indexNamed(`signed ${suffix}`);
    const digest = store('signed', bytes);
    store(
      `${digest.replace(':', '-')}${suffix}`,
      Buffer.from('{"schemaVersion":2,"layers":[]}'),
      mediaTypes.ociManifest,
    );
    const answer = await ask('signed');
    expect([answer.header('Docker-Content-Digest'), answer.header('Warning')]).toEqual([digest, undefined]);
    expect(answer.body).toEqual(bytes);
  });

  it('is not done when the registry lists a referrer', async () => {
    const bytes = indexNamed('referred to');
    const digest = store('referred', bytes);
    const subject = { mediaType: mediaTypes.ociIndex, digest, size: bytes.length };
    store('signature', Buffer.from(JSON.stringify({ schemaVersion: 2, config: {}, layers: [], subject })));
    expect((await ask('referred')).body).toEqual(bytes);
  });

  it('ends with a signature that is pushed through manifix, and the derived digest stays', async () => {
    const bytes = indexNamed('signed later');
    const digest = store('later', bytes);
    const derived = (await ask('later')).header('Docker-Content-Digest') ?? '';
    expect(derived).not.toBe(digest);
    const signature = '{"schemaVersion":2,"config":{"digest":"x"},"layers":[]}';
    registry.content.putBlob('app', Buffer.from(''));
    const put = await exchange(manifix.url, {
      method: 'PUT',
      target: `/v2/app/manifests/${digest.replace(':', '-')}.sig`,
      headers: { 'Content-Type': mediaTypes.ociManifest },
      body: signature.replace('"x"', `"${sha256('')}"`),
    });
    expect(put.status).toBe(201);
    expect((await ask('later')).header('Docker-Content-Digest')).toBe(digest);
    expect((await ask(derived)).status).toBe(200);
  });

  it('keeps the registry from hearing of derived digests', async () => {
    store('heard', indexNamed('heard'));
    const derived = (await ask('heard')).header('Docker-Content-Digest') ?? '';
    await ask(derived);
    await exchange(manifix.url, {
      target: '/v2/app/manifests/heard',
      headers: { ...accept, 'If-None-Match': `"${derived}"` },
    });
    const heard = registry.requests.filter(
      ({ target, headers }) => target.includes(derived) || headers.flat().some((text) => text.includes(derived)),
    );
    expect(heard).toEqual([]);
  });

  it('is pushed to the registry once, however often a pushed index names it', async () => {
    store('often', indexNamed('often'));
    const digest = (await ask('often')).header('Docker-Content-Digest');
    const manifests = Array.from({ length: 50 }, () => ({ mediaType: mediaTypes.ociIndex, digest, size: 1 }));
    const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
    const before = registry.requests.length;
    const target = '/v2/app/manifests/listing';
    const answer = await exchange(manifix.url, {
      method: 'PUT',
      target,
      headers: { 'Content-Type': mediaTypes.ociIndex },
      body,
    });
    expect(answer.status).toBe(201);
    const asked = registry.requests.slice(before).map(({ method, target: path }) => `${method} ${path}`);
    expect(asked).toEqual([`PUT /v2/app/manifests/${digest}`, `PUT ${target}`]);
  });

  it('answers 50 requests at once, while the tag moves, each of which agrees with itself', async () => {
    const versions = Array.from({ length: 10 }, (_, version) => indexNamed(`version ${version}`));
    store('moving', versions[0] ?? Buffer.alloc(0));
    const asked = Array.from({ length: 50 }, async (_, turn) => {
      // Moves with every fifth request, at no particular moment.
      if (turn % 5 === 0) store('moving', versions[turn / 5] ?? Buffer.alloc(0));
      return ask('moving', turn % 2 === 0 ? 'GET' : 'HEAD');
    });
    const answers = await within('50 answers', Promise.all(asked));
    const lengths = new Map<string, number>(
      versions.map((bytes) => [sha256(bytes.toString().replace('{', inserted)), bytes.length + inserted.length - 1]),
    );
    for (const answer of answers) {
      const digest = answer.header('Docker-Content-Digest') ?? '';
      expect(lengths.get(digest)).toBe(Number(answer.header('Content-Length')));
      if (answer.body.length > 0) expect(sha256(answer.body)).toBe(digest);
      expect(sha256((await ask(digest)).body)).toBe(digest);
    }
  });
});

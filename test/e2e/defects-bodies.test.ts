import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { manifestTypes, sampleImage, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { essence, fixesOf, fromCache } from './answers.ts';
import { firstError } from './registry-errors.ts';

const image = sampleImage('oci-amd64');
const [config, layer] = image.blobs;
const accept = { Accept: manifestTypes.join(', ') };

describe('defects of bodies', () => {
  let injector: DefectInjector;
  let manifix: Manifix;

  beforeAll(async () => {
    injector = await startDefectInjector();
    manifix = await startManifix({ upstream: injector.url });
  });
  afterAll(() => Promise.all([manifix.stop(), injector.stop()]));

  function manifest(server: { url: string }, repository: string, reference: string): Promise<HttpAnswer> {
    return exchange(server.url, { target: `/v2/${repository}/manifests/${reference}`, headers: accept });
  }
  function blob(server: { url: string }, repository: string, digest = '', headers = {}): Promise<HttpAnswer> {
    return exchange(server.url, { target: `/v2/${repository}/blobs/${digest}`, headers });
  }
  /** A blob that no cache has. */
  const addUnknown = (content: string) => injector.content.putBlob('', Buffer.from(content));

  it.each(['index', image.digest])(
    'html200: a login page instead of manifest %s is a 502 that says so',
    async (name) => {
      const direct = await manifest(injector, 'html200', name);
      expect([direct.status, direct.header('Content-Type')]).toEqual([200, 'text/html']);
      const answer = await manifest(manifix, 'html200', name);
      expect(answer.status).toBe(502);
      expect(answer.header('Content-Type')).toMatch(/^application\/json/);
      const { code, message, explanation } = firstError(answer.body);
      expect(code).toBe('UNKNOWN');
      if (!name.startsWith('sha256:')) {
        expect(message).toBe('upstream returned text/html instead of a manifest');
        expect(explanation).toContain('Please log in');
      }
    },
  );

  it('html200: the page is not remembered: once it is gone the manifest is served', async () => {
    await manifest(manifix, 'html200', 'index');
    expect((await manifest(manifix, 'healthy', 'index')).body).toEqual(sampleImage('index').bytes);
  });

  it('wrong-manifest-bytes: by digest they are a 502 and never a complete answer', async () => {
    expect(sha256((await manifest(injector, 'wrong-manifest-bytes', image.digest)).body)).not.toBe(image.digest);
    const answer = await manifest(manifix, 'wrong-manifest-bytes', image.digest);
    expect(answer.status).toBe(502);
    expect(firstError(answer.body).explanation).toContain(image.digest);
  });

  it('wrong-manifest-bytes: by tag the digest announced is that of the bytes served', async () => {
    for (const method of ['GET', 'HEAD', 'GET']) {
      const target = '/v2/wrong-manifest-bytes/manifests/oci-amd64';
      const answer = await exchange(manifix.url, { method, target, headers: accept });
      const direct = await manifest(injector, 'wrong-manifest-bytes', 'oci-amd64');
      expect(direct.header('Docker-Content-Digest')).not.toBe(sha256(direct.body));
      expect(answer.header('Docker-Content-Digest')).toBe(sha256(direct.body));
    }
  });

  it('wrong-blob-bytes: the client hears why it gets nothing, and nothing of it is kept', async () => {
    const digest = addUnknown('what the digest was made of');
    expect(sha256((await blob(injector, 'wrong-blob-bytes', digest)).body)).not.toBe(digest);
    for (const _time of ['first', 'again']) {
      const answer = await blob(manifix, 'wrong-blob-bytes', digest);
      expect(answer.status).toBe(502);
      expect(firstError(answer.body).message).toBe('the registry sent wrong content');
    }
    await manifix.restart();
    const healthy = await blob(manifix, 'healthy', digest);
    expect(healthy.body.toString()).toBe('what the digest was made of');
    expect(healthy.header('Cache-Status')).toContain('fwd=miss');
  });

  describe.each(['gzip-blob', 'x-gzip'])('%s', (defect) => {
    it('is undone: the client gets the bytes that have the digest, cold and from the cache', async () => {
      const digest = layer?.digest ?? '';
      expect((await blob(injector, defect, digest)).header('Content-Encoding')).toMatch(/^(x-)?gzip$/);
      await using fresh = await startManifix({ upstream: injector.url });
      const healthy = essence(await blob(injector, 'healthy', digest));
      const cold = await blob(fresh, defect, digest);
      const cached = await fromCache(() => blob(fresh, defect, digest));
      for (const answer of [cold, cached]) {
        expect(essence(answer)).toEqual(healthy);
        expect(answer.header('Content-Encoding')).toBeUndefined();
      }
      expect(cold.header('Cache-Status')).toContain('fwd=miss');
    });
  });

  it('asks for identity encoding, so that registries that compress on demand do not', async () => {
    const digest = addUnknown('identity, please');
    await exchange(manifix.url, { target: `/v2/asks/blobs/${digest}`, headers: { 'Accept-Encoding': 'gzip' } });
    await exchange(manifix.url, { target: '/v2/asks/manifests/index', headers: { 'Accept-Encoding': 'gzip' } });
    const asked = injector.requests.filter(({ path }) => path.startsWith('/v2/asks/'));
    expect(asked.length).toBeGreaterThanOrEqual(2);
    for (const { headers } of asked) {
      const encodings = headers.filter(([name]) => name.toLowerCase() === 'accept-encoding').map(([, value]) => value);
      expect(encodings).toEqual(['identity']);
    }
  });

  it.each(['no-digest', 'etag-none', 'no-length', 'no-accept-ranges'])(
    '%s: a blob has all its fields',
    async (name) => {
      const digest = addUnknown(`fields of ${name}`);
      const healthy = await blob(injector, 'healthy', digest);
      for (const method of ['HEAD', 'GET', 'GET', 'HEAD']) {
        const answer = await exchange(manifix.url, { method, target: `/v2/${name}/blobs/${digest}` });
        expect(answer.status).toBe(200);
        expect(answer.header('Docker-Content-Digest')).toBe(digest);
        expect(answer.body).toEqual(method === 'GET' ? healthy.body : Buffer.alloc(0));
      }
      const cached = await fromCache(() => blob(manifix, name, digest));
      expect(cached.header('ETag')).toBe(`"${digest}"`);
      expect(cached.header('Accept-Ranges')).toBe('bytes');
      expect(cached.header('Content-Length')).toBe(String(healthy.body.length));
    },
  );

  it.each([
    ['no-length', '23'],
    ['len-zero', '23'],
    // The registry compresses the part as well, which leaves the length unknown.
    ['gzip-blob', undefined],
  ])('%s: HEAD of a blob that is not cached states its length or none, never a wrong one', async (name, length) => {
    const digest = addUnknown(`${name}: a blob to ask about`.slice(0, 23).padEnd(23));
    const target = `/v2/${name}/blobs/${digest}`;
    const direct = await exchange(injector.url, { method: 'HEAD', target });
    expect(direct.header('Content-Length')).not.toBe('23');
    const answer = await exchange(manifix.url, { method: 'HEAD', target });
    expect([answer.status, answer.header('Content-Length')]).toEqual([200, length]);
    expect(answer.header('Content-Encoding')).toBeUndefined();
    expect(fixesOf(answer)).toEqual(['head-length']);
  });

  it('range-ignored: a range of a cached blob is a range although the registry serves none', async () => {
    const digest = addUnknown('0123456789');
    const range = { Range: 'bytes=5-9' };
    expect((await blob(injector, 'range-ignored', digest, range)).status).toBe(200);
    await fromCache(() => blob(manifix, 'range-ignored', digest));
    const answer = await blob(manifix, 'range-ignored', digest, range);
    expect([answer.status, answer.header('Content-Range')]).toEqual([206, 'bytes 5-9/10']);
    expect(answer.body.toString()).toBe('56789');
  });

  it('the healthy segment is untouched: blobs have the status, fields and bytes they have direct', async () => {
    for (const digest of [config?.digest, layer?.digest, `sha256:${'7'.repeat(64)}`]) {
      for (const method of ['HEAD', 'GET', 'GET', 'HEAD']) {
        const target = `/v2/healthy/untouched/blobs/${digest}`;
        const through = await exchange(manifix.url, { method, target });
        const direct = await exchange(injector.url, { method, target });
        expect(essence(through), `${method} ${digest}`).toEqual(essence(direct));
        expect(fixesOf(through)).toEqual([]);
      }
    }
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { type HeaderList, headerValues } from '../support/headers.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { manifestTypes, mediaTypes, sampleImage, sampleImages, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { essence, fixesOf } from './answers.ts';
import { firstError } from './registry-errors.ts';

const SCHEMA_1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
const all: HeaderList = [['Accept', manifestTypes.join(', ')]];

/** What scripts and tools send that know nothing of manifest types. */
const uninformed: readonly (readonly [string, HeaderList])[] = [
  ['no Accept', []],
  ['curl', [['Accept', '*/*']]],
  ['a JSON client', [['Accept', 'application/json']]],
  ['a wildcard that registries do not understand', [['Accept', 'application/vnd.oci.image.*']]],
];

describe('defects of negotiation', () => {
  let injector: DefectInjector;
  let manifix: Manifix;

  beforeAll(async () => {
    injector = await startDefectInjector();
    manifix = await startManifix({ upstream: injector.url });
  });
  afterAll(() => Promise.all([manifix.stop(), injector.stop()]));

  function ask(
    server: { url: string },
    path: string,
    headers: HeaderList,
    method: 'GET' | 'HEAD' = 'GET',
  ): Promise<HttpAnswer> {
    return exchange(server.url, { method, target: `/v2/${path}`, headers });
  }
  /** Accept lines of the last request for a path, as the registry saw them. */
  function acceptSeen(path: string): string[] {
    return headerValues(injector.requests.findLast((request) => request.path === path)?.headers ?? [], 'Accept');
  }

  describe.each(uninformed)('strict-accept, asked by %s', (_, headers) => {
    it.each([
      ['index', 'OCI index found, but accept header does not support OCI indexes'],
      ['oci-amd64', 'OCI manifest found, but accept header does not support OCI manifests'],
      ['ocinomt-amd64', 'OCI manifest found, but accept header does not support OCI manifests'],
    ] as const)('serves %s by tag and by digest, with GET and HEAD, which direct is hidden', async (name, message) => {
      const image = sampleImage(name);
      for (const reference of [name, image.digest]) {
        const direct = await ask(injector, `strict-accept/manifests/${reference}`, headers);
        expect(direct.status).toBe(404);
        expect(firstError(direct.body)).toMatchObject({ code: 'MANIFEST_UNKNOWN', message });
        const healthy = await ask(injector, `healthy/manifests/${reference}`, all);
        const got = await ask(manifix, `strict-accept/manifests/${reference}`, headers);
        expect(essence(got)).toEqual(essence(healthy));
        expect(fixesOf(got)).toContain('accept-missing-oci-404');
        const head = await ask(manifix, `strict-accept/manifests/${reference}`, headers, 'HEAD');
        expect(essence(head)).toEqual({ ...essence(healthy), body: '' });
      }
    });

    it.each(['docker-amd64', 'list'] as const)('serves %s as it is, which direct becomes schema 1', async (name) => {
      const direct = await ask(injector, `strict-accept/manifests/${name}`, headers);
      expect(direct.header('Content-Type')).toBe(SCHEMA_1);
      expect(direct.header('Docker-Content-Digest')).not.toBe(sha256(direct.body));
      const got = await ask(manifix, `strict-accept/manifests/${name}`, headers);
      expect(essence(got)).toEqual(essence(await ask(injector, `healthy/manifests/${name}`, all)));
      expect(fixesOf(got)).toContain('accept-missing-schema1');
    });
  });

  it('strict-accept: an Accept that names a manifest type is never widened on the first try', async () => {
    const fixes = { 'accept-named-type-404-retry': 'off' };
    await using once = await startManifix({ config: { upstreams: { default: { url: injector.url } }, fixes } });
    for (const type of manifestTypes) {
      for (const { name } of sampleImages().filter((image) => image.name !== 'index-nomt')) {
        const path = `strict-accept/narrow-${manifestTypes.indexOf(type)}/manifests/${name}`;
        const direct = await ask(injector, path, [['Accept', type]]);
        const through = await ask(once, path, [['Accept', type]]);
        expect(through.status, `${name} as ${type}`).toBe(direct.status);
        // Schema 1 is signed anew for every request.
        if (direct.header('Content-Type') === SCHEMA_1) expect(through.header('Content-Type')).toBe(SCHEMA_1);
        else if (direct.status === 200) expect(essence(through)).toEqual(essence(direct));
        expect(acceptSeen(`/v2/${path}`)).toEqual([type]);
      }
    }
  });

  it('strict-accept: answers to different Accepts of one tag do not mix', async () => {
    const path = 'strict-accept/mixed/manifests/list';
    const narrow: HeaderList = [['Accept', mediaTypes.dockerManifest]];
    for (let round = 0; round < 3; round += 1) {
      expect((await ask(manifix, path, all)).header('Content-Type')).toBe(mediaTypes.dockerList);
      const image = await ask(manifix, path, narrow);
      expect(image.header('Content-Type')).toBe(mediaTypes.dockerManifest);
      expect(image.header('Docker-Content-Digest')).toBe(sampleImage('list').children[0]?.digest);
      expect((await ask(manifix, path, [])).header('Content-Type')).toBe(mediaTypes.dockerList);
    }
  });

  it.each(['first-accept-only', 'rejects-repeated-accept'])('%s: one Accept line per type works', async (defect) => {
    const lines: HeaderList = [...manifestTypes, `${SCHEMA_1};q=0`].reverse().map((type) => ['Accept', type]);
    for (const image of sampleImages().filter(({ name }) => name !== 'index-nomt')) {
      const path = `${defect}/manifests/${image.name}`;
      const direct = await ask(injector, path, lines);
      expect([direct.status, firstError(direct.body).message]).toEqual([406, 'Not Acceptable']);
      const through = await ask(manifix, path, lines);
      expect(essence(through)).toEqual(essence(await ask(injector, `healthy/manifests/${image.name}`, all)));
      expect(fixesOf(through)).toContain('accept-shape');
    }
    expect(acceptSeen(`/v2/${defect}/manifests/list`)).toEqual([[...manifestTypes].reverse().join(', ')]);
  });

  it('rejects-manifest-accept-elsewhere: only requests for manifests are given manifest types', async () => {
    const { digest } = sampleImage('index').children[0]?.blobs[0] ?? { digest: '' };
    for (const path of [`blobs/${digest}`, 'tags/list', `referrers/${digest}`]) {
      const target = `rejects-manifest-accept-elsewhere/${path}`;
      expect((await ask(injector, target, all)).status).toBe(406);
      expect((await ask(manifix, target, [['Accept', '*/*']])).status).toBe(200);
      expect(acceptSeen(`/v2/${target}`).join()).not.toContain('vnd.');
    }
  });
});

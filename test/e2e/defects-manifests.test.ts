import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { manifestTypes, mediaTypes, sampleImages, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { essence, essenceWithTag, fixesOf } from './answers.ts';

type Method = 'GET' | 'HEAD';

interface Row {
  readonly defect: string;
  /** The fix that repairs it. */
  readonly fix: string;
  /** Whether a direct answer has the defect; by default to GET and HEAD alike. */
  readonly broken: (answer: HttpAnswer) => boolean;
  readonly methods?: readonly Method[];
}

const typed = (type: string | undefined) => (answer: HttpAnswer) => answer.header('Content-Type') === type;
const digest = (pattern: RegExp) => (answer: HttpAnswer) => pattern.test(answer.header('Docker-Content-Digest') ?? '-');
const compressed = (answer: HttpAnswer) => answer.header('Content-Encoding') === 'gzip';

const rows: readonly Row[] = [
  { defect: 'ct-json', fix: 'content-type-generic', broken: typed('application/json') },
  { defect: 'ct-text', fix: 'content-type-generic', broken: typed('text/plain') },
  { defect: 'ct-octet', fix: 'content-type-generic', broken: typed('application/octet-stream') },
  { defect: 'ct-html', fix: 'content-type-generic', broken: typed('text/html') },
  { defect: 'ct-none', fix: 'content-type-generic', broken: typed(undefined) },
  {
    defect: 'ct-charset',
    fix: 'content-type-charset',
    broken: (answer) => /\+json; charset=utf-8$/.test(answer.header('Content-Type') ?? ''),
  },
  { defect: 'wrongkind', fix: 'type-conflict', broken: typed(mediaTypes.ociManifest) },
  { defect: 'no-digest', fix: 'docker-content-digest-missing', broken: digest(/^-$/) },
  { defect: 'digest-noalgo', fix: 'docker-content-digest-bad', broken: digest(/^[0-9a-f]{64}$/) },
  { defect: 'digest-upper', fix: 'docker-content-digest-bad', broken: digest(/^SHA256:[0-9A-F]{64}$/) },
  { defect: 'digest-wrong', fix: 'docker-content-digest-bad', broken: digest(/^sha256:1{64}$/) },
  { defect: 'etag-none', fix: 'etag-and-vary', broken: (answer) => answer.header('ETag') === undefined },
  { defect: 'etag-unquoted', fix: 'etag-and-vary', broken: (answer) => /^sha/.test(answer.header('ETag') ?? '') },
  { defect: 'etag-weak', fix: 'etag-and-vary', broken: (answer) => /^W\//.test(answer.header('ETag') ?? '') },
  { defect: 'no-length', fix: 'head-length', broken: (answer) => answer.header('Content-Length') === undefined },
  {
    defect: 'len-zero',
    fix: 'head-length',
    broken: (answer) => answer.header('Content-Length') === '0',
    methods: ['HEAD'],
  },
  { defect: 'gzip', fix: 'gzip-content-encoding', broken: compressed, methods: ['GET'] },
  { defect: 'gzip-in-name-only', fix: 'gzip-content-encoding', broken: compressed, methods: ['GET'] },
  {
    defect: 'no-api-version',
    fix: 'api-version-header',
    broken: (answer) => answer.header('Docker-Distribution-Api-Version') === undefined,
  },
];

describe('defects of pulled manifests', () => {
  let injector: DefectInjector;
  let manifix: Manifix;
  /** Asks the registry about a tag every time. */
  let revalidating: Manifix;

  beforeAll(async () => {
    injector = await startDefectInjector();
    const env = { MANIFIX_CACHE_TAG_TTL: '0s' };
    [manifix, revalidating] = await Promise.all([
      startManifix({ upstream: injector.url }),
      startManifix({ upstream: injector.url, env }),
    ]);
  });
  afterAll(() => Promise.all([manifix, revalidating, injector].map((server) => server.stop())));

  function ask(server: { url: string }, repository: string, reference: string, method: Method): Promise<HttpAnswer> {
    const headers = { Accept: manifestTypes.join(', ') };
    return exchange(server.url, { method, target: `/v2/${repository}/manifests/${reference}`, headers });
  }

  /** An index that nobody has asked for yet. */
  function addUnknown(tag: string): string {
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [], annotations: { tag } }),
    );
    injector.content.putManifest('', tag, { bytes, mediaType: mediaTypes.ociIndex });
    return sha256(bytes);
  }

  describe.each(rows)('$defect', ({ defect, fix, broken, methods = ['GET', 'HEAD'] }) => {
    it.each(methods)('is there direct, by tag and by digest, with %s', async (method) => {
      const reference = addUnknown(`direct-${defect}`);
      expect(broken(await ask(injector, defect, `direct-${defect}`, method))).toBe(true);
      expect(broken(await ask(injector, defect, reference, method))).toBe(true);
    });

    it.each(['GET', 'HEAD'] as const)('is gone when a manifest is first asked for with %s', async (method) => {
      const tag = `cold-${defect}-${method.toLowerCase()}`;
      const reference = addUnknown(tag);
      for (const name of [tag, reference]) {
        const answer = await ask(manifix, defect, name, method);
        const healthy = await ask(injector, 'healthy', name, method);
        expect(essenceWithTag(answer), name).toEqual(essenceWithTag(healthy));
        expect(answer.header('Docker-Distribution-Api-Version')).toBe('registry/2.0');
        expect(answer.header('Content-Encoding')).toBeUndefined();
      }
    });

    it('is gone by the fix that answers name', async () => {
      const tag = `named-${defect}`;
      addUnknown(tag);
      // What a HEAD has wrong shows when its digest is known: otherwise it is answered from a GET.
      const first = await ask(revalidating, defect, tag, 'GET');
      const second = await ask(revalidating, defect, tag, methods[0] ?? 'GET');
      expect([...fixesOf(first), ...fixesOf(second)]).toContain(fix);
    });

    it('is gone from every sample image that is not changed by tag, and its HEAD agrees with its GET', async () => {
      for (const image of sampleImages()) {
        const references = image.name === 'index-nomt' ? [image.digest] : [image.name, image.digest];
        for (const reference of references) {
          const [got, head] = [
            await ask(manifix, defect, reference, 'GET'),
            await ask(manifix, defect, reference, 'HEAD'),
          ];
          const healthy = await ask(injector, 'healthy', reference, 'GET');
          expect(essenceWithTag(got), reference).toEqual(essenceWithTag(healthy));
          expect(essenceWithTag(head), reference).toEqual({ ...essenceWithTag(got), body: '' });
        }
      }
    });
  });

  it('are none of the healthy segment: answers there are what they are direct', async () => {
    for (const image of sampleImages().filter(({ name }) => name !== 'index-nomt')) {
      for (const reference of [image.name, image.digest, `missing-${image.name}`]) {
        for (const method of ['GET', 'HEAD', 'GET', 'HEAD'] as const) {
          const through = await ask(manifix, 'healthy/untouched', reference, method);
          const direct = await ask(injector, 'healthy/untouched', reference, method);
          expect(essence(through), `${method} ${reference}`).toEqual(essence(direct));
        }
      }
    }
  });
});

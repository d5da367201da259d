import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { mediaTypes, sampleImage, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage, pushSamples } from '../support/push-image.ts';
import { startRegistryDouble } from '../support/registry-double.ts';
import { describeWithTools } from '../support/tools.ts';
import { fixesOf } from './answers.ts';
import { firstError } from './registry-errors.ts';

const subject = sampleImage('oci-amd64').digest;
const json = (answer: HttpAnswer) => JSON.parse(answer.body.toString());

describe('defects of lists', () => {
  let injector: DefectInjector;
  let manifix: Manifix;

  beforeAll(async () => {
    injector = await startDefectInjector();
    for (const artifactType of ['application/vnd.sbom+json', 'application/vnd.signature']) {
      const bytes = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: mediaTypes.ociManifest,
          artifactType,
          subject: { digest: subject },
        }),
      );
      injector.content.putManifest('', sha256(bytes), { bytes, mediaType: mediaTypes.ociManifest });
    }
    manifix = await startManifix({ upstream: injector.url });
  });
  afterAll(() => Promise.all([manifix.stop(), injector.stop()]));

  const both = (method: string, target: string): Promise<[HttpAnswer, HttpAnswer]> =>
    Promise.all([exchange(injector.url, { method, target }), exchange(manifix.url, { method, target })]);
  /** Follows Link from page to page and gives the tags of each. */
  async function pages(target: string): Promise<string[][]> {
    const found = [];
    for (let next: string | undefined = target; next !== undefined; ) {
      const answer = await exchange(manifix.url, { target: next });
      found.push(json(answer).tags);
      next = /<([^>]*)>/.exec(answer.header('Link') ?? '')?.[1];
    }
    return found;
  }
  const allTags = () => injector.content.tags('').toSorted();

  it.each(['link-absolute', 'link-unquoted'])('%s: the next page is a path on manifix', async (defect) => {
    const [direct, answer] = await both('GET', `/v2/${defect}/tags/list?n=2`);
    const [, healthy] = await both('GET', '/v2/healthy/tags/list?n=2');
    expect(direct.header('Link')).not.toMatch(/^<\/[^>]*>; rel="next"$/);
    expect(answer.header('Link')).toBe(healthy.header('Link')?.replace('/healthy/', `/${defect}/`));
    expect(fixesOf(answer)).toContain('link-header-origin');
    const pages = [JSON.parse(answer.body.toString()).tags];
    for (let link = answer.header('Link'); link !== undefined; ) {
      const next = await exchange(manifix.url, { target: /<([^>]*)>/.exec(link)?.[1] ?? '' });
      pages.push(JSON.parse(next.body.toString()).tags);
      link = next.header('Link');
    }
    expect(pages.flat().toSorted()).toEqual(injector.content.tags('').toSorted());
  });

  it('tags-unpaged: tags come in order, in the pages that are asked for, each once', async () => {
    const [direct, answer] = await both('GET', '/v2/tags-unpaged/tags/list?n=2');
    expect(json(direct).tags).toEqual(allTags().toReversed());
    expect(json(answer)).toEqual({ name: 'tags-unpaged', tags: allTags().slice(0, 2) });
    expect(fixesOf(answer)).toContain('tags-list-shape');
    const found = await pages('/v2/tags-unpaged/tags/list?n=2');
    expect(found.flat()).toEqual(allTags());
    expect(found.every((page) => page.length <= 2)).toBe(true);
    expect(await pages('/v2/tags-unpaged/tags/list?n=0')).toEqual([[]]);
    expect((await pages(`/v2/tags-unpaged/tags/list?last=${allTags()[1]}`)).flat()).toEqual(allTags().slice(2));
    expect((await pages('/v2/tags-unpaged/tags/list')).flat()).toEqual(allTags());
  });

  it('tags-null: no tags are an empty list', async () => {
    const [direct, answer] = await both('GET', '/v2/tags-null/tags/list');
    expect(json(direct).tags).toBeNull();
    expect(json(answer)).toEqual({ name: 'tags-null', tags: [] });
    expect(answer.header('Content-Length')).toBe(String(answer.body.length));
  });

  it('tags-limit: a page that is too large becomes the largest, and the registry is not asked for more again', async () => {
    const [direct, answer] = await both('GET', '/v2/tags-limit/tags/list?n=5000');
    expect([direct.status, firstError(direct.body).code]).toEqual([400, 'PAGINATION_NUMBER_INVALID']);
    expect([answer.status, json(answer).tags]).toEqual([200, allTags()]);
    expect(fixesOf(answer)).toEqual(['catalog-n-too-large']);
    const before = injector.requests.length;
    expect((await exchange(manifix.url, { target: '/v2/tags-limit/tags/list?n=5000' })).status).toBe(200);
    expect(injector.requests.slice(before).map(({ target }) => target)).toEqual(['/v2/tags-limit/tags/list?n=1000']);
    const { body } = await exchange(manifix.adminUrl, { target: '/metrics' });
    expect(body.toString()).toContain('manifix_upstream_defects{upstream="default",fix="catalog-n-too-large"} 1');
  });

  it.each(['login', 'html', '400', '404', '405', '500-route', '501'])(
    'referrers-%s: a registry without the API is answered 404 as clients expect it',
    async (defect) => {
      const [direct, answer] = await both('GET', `/v2/referrers-${defect}/referrers/${subject}`);
      expect(direct.header('Content-Type') ?? direct.status).not.toBe(mediaTypes.ociIndex);
      expect(answer.status).toBe(404);
      expect(answer.header('Content-Type')).toMatch(/^application\/json/);
      expect(firstError(answer.body).code).toBe(defect === '404' ? 'MANIFEST_UNKNOWN' : 'UNSUPPORTED');
      const head = await exchange(manifix.url, {
        method: 'HEAD',
        target: `/v2/referrers-${defect}/referrers/${subject}`,
      });
      expect([head.status, head.body.length]).toEqual([404, 0]);
    },
  );

  it.each([403, 429, 500])('referrers-%i: a refusal and a failure stay what they are', async (status) => {
    const [direct, answer] = await both('GET', `/v2/referrers-${status}/referrers/${subject}`);
    expect([direct.status, answer.status]).toEqual([status, status]);
    expect(firstError(answer.body).code).toBe({ 403: 'DENIED', 429: 'TOOMANYREQUESTS', 500: 'UNKNOWN' }[status]);
  });

  it.each(['untyped', 'null', 'nomt'])('referrers-%s: the list is an OCI index', async (defect) => {
    const target = `/v2/referrers-${defect}/referrers/${subject}`;
    const [, healthy] = await both('GET', `/v2/healthy/referrers/${subject}`);
    const [direct, answer] = await both('GET', target);
    const head = await exchange(manifix.url, { method: 'HEAD', target });
    expect([direct.header('Content-Type'), json(direct)]).not.toEqual([mediaTypes.ociIndex, json(healthy)]);
    expect(answer.header('Content-Type')).toBe(mediaTypes.ociIndex);
    const manifests = defect === 'null' ? [] : json(healthy).manifests;
    expect(json(answer)).toMatchObject({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
    for (const name of ['Content-Type', 'Content-Length']) expect(head.header(name)).toBe(answer.header(name));
  });

  it('referrers-unfiltered: a filter is not said to be applied when it was not, and applied where that is chosen', async () => {
    const target = `/v2/referrers-unfiltered/referrers/${subject}?artifactType=application/vnd.signature`;
    const [direct, answer] = await both('GET', target);
    expect([direct.header('OCI-Filters-Applied'), json(direct).manifests.length]).toEqual(['artifactType', 2]);
    expect([answer.header('OCI-Filters-Applied'), json(answer)]).toEqual([undefined, json(direct)]);
    await using filtering = await startManifix({
      config: {
        upstreams: { default: { url: injector.url } },
        fixes: { 'referrers-misbehaviour': { filter: 'yes' } },
      },
    });
    const filtered = await exchange(filtering.url, { target });
    expect(filtered.header('OCI-Filters-Applied')).toBe('artifactType');
    expect(json(filtered).manifests).toMatchObject([{ artifactType: 'application/vnd.signature' }]);
  });

  it.each([
    'tags/list',
    'tags/list?n=2',
    `referrers/${subject}`,
    `referrers/${subject}?artifactType=application/vnd.signature`,
    `referrers/sha256:${'0'.repeat(64)}`,
  ])('the healthy segment is untouched: %s', async (path) => {
    for (const method of ['GET', 'HEAD']) {
      const [direct, answer] = await both(method, `/v2/healthy/${path}`);
      const names = ['Content-Type', 'Content-Length', 'Link', 'OCI-Filters-Applied'];
      expect([answer.status, ...names.map(answer.header), answer.body]).toEqual([
        direct.status,
        ...names.map(direct.header),
        direct.body,
      ]);
      expect(fixesOf(answer)).toEqual([]);
    }
  });
});

describe('a registry that gives pages', () => {
  it('is asked for all of them under the profile of clients that do not follow Link', async () => {
    await using registry = await startRegistryDouble({
      intercept: (request, respondNormally) => {
        const query = new URLSearchParams(request.query);
        query.set('n', String(Math.min(3, Number(query.get('n') ?? 3))));
        return respondNormally({ ...request, query });
      },
    });
    const names = Array.from({ length: 10 }, (_, at) => `team/app${at}`);
    for (const name of names) registry.content.addImage(name, `v${name.at(-1)}`, sampleImage('docker-amd64'));
    for (let at = 0; at < 7; at += 1) registry.content.addImage('team/tags', `v${at}`, sampleImage('docker-amd64'));
    await using manifix = await startManifix({
      config: {
        upstreams: { default: { url: registry.url } },
        endpoints: [{ name: 'old', upstream: 'default', profile: 'legacy' }],
      },
    });
    const ask = (target: string) => exchange(manifix.url, { target });
    const catalog = await ask('/v2/_catalog');
    expect(json(catalog).repositories).toEqual([...names, 'team/tags']);
    expect(catalog.header('Link')).toBeUndefined();
    expect(fixesOf(catalog)).toEqual(['catalog-n-too-large']);
    const some = await ask('/v2/_catalog?n=5');
    expect(json(some).repositories).toEqual(names.slice(0, 5));
    expect(some.header('Link')).toBe('</v2/_catalog?n=2&last=team%2Fapp4>; rel="next"');
    expect(json(await ask('/v2/team/tags/tags/list')).tags).toHaveLength(7);
    expect(json(await ask('/v2/team/tags/tags/list?n=2')).tags).toEqual(['v0', 'v1']);
  });
});

describeWithTools('the lists of docker-registry', ['docker-registry'], () => {
  it('come in order, in pages and whatever page is asked for', async () => {
    await using registry = await startDockerRegistry();
    await pushSamples(registry.url, 'team/samples');
    await pushImage(registry.url, 'team/other', '1', sampleImage('docker-amd64'));
    await using manifix = await startManifix({ upstream: registry.url });
    const [direct, through] = await Promise.all(
      [registry, manifix].map(({ url }) => exchange(url, { target: '/v2/_catalog?n=5000' })),
    );
    expect([direct?.status, firstError(direct?.body ?? '').code]).toEqual([400, 'PAGINATION_NUMBER_INVALID']);
    expect([through?.status, through?.body.toString()]).toEqual([
      200,
      '{"repositories":["team/other","team/samples"]}\n',
    ]);
    const page = await exchange(manifix.url, { target: '/v2/team/samples/tags/list?n=2' });
    expect(json(page).tags).toEqual(['docker-amd64', 'index']);
    expect(page.header('Link')).toBe('</v2/team/samples/tags/list?n=2&last=index>; rel="next"');
  });
});

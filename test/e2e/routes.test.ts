import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { manifestTypes, sampleImage, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';
import { fixesOf } from './answers.ts';
import { firstError } from './registry-errors.ts';

const image = sampleImage('index');
const accept = { Accept: manifestTypes.join(', ') };

describe('registries that insist on how they are asked', () => {
  let injector: DefectInjector;
  let manifix: Manifix;

  beforeAll(async () => {
    injector = await startDefectInjector();
    const upstreams = { hub: { url: injector.url, kind: 'dockerhub' } };
    manifix = await startManifix({ config: { upstreams, endpoints: [{ ns: ['docker.io'] }] } });
  });
  afterAll(() => Promise.all([manifix.stop(), injector.stop()]));

  it('library-prefix: an official image is served under its short name', async () => {
    const target = '/v2/unofficial/manifests/index';
    expect((await exchange(injector.url, { target, headers: accept })).status).toBe(401);
    const answer = await exchange(manifix.url, { target, headers: accept });
    expect([answer.status, sha256(answer.body)]).toEqual([200, sampleImage('index').digest]);
    expect(fixesOf(answer)).toContain('library-prefix');
    const tags = await exchange(manifix.url, { target: '/v2/unofficial/tags/list' });
    expect(JSON.parse(tags.body.toString()).name).toBe('unofficial');
  });

  it('library-prefix: a name with a slash is untouched', async () => {
    for (const path of ['tags/list', 'manifests/index']) {
      const target = `/v2/library/healthy/${path}`;
      const [direct, answer] = await Promise.all(
        [injector.url, manifix.url].map((url) => exchange(url, { target, headers: accept })),
      );
      expect(answer?.body).toEqual(direct?.body);
      expect(answer && fixesOf(answer)).not.toContain('library-prefix');
    }
  });

  it('a namespace is not passed on to a registry that knows no such parameter', async () => {
    const target = '/v2/strict-query/app/manifests/index?ns=docker.io';
    expect((await exchange(injector.url, { target, headers: accept })).status).toBe(400);
    const answer = await exchange(manifix.url, { target, headers: accept });
    expect([answer.status, answer.header('OCI-Namespace')]).toEqual([200, 'docker.io']);
  });
});

describe('several ways to one registry', () => {
  let registry: RegistryDouble;
  let manifix: Manifix;

  beforeAll(async () => {
    registry = await startRegistryDouble();
    for (const repository of ['app', 'base/a', 'base/b', 'secret/app']) {
      registry.content.addImage(repository, '1', image);
    }
    manifix = await startManifix({
      config: {
        upstreams: { only: { url: registry.url } },
        endpoints: [
          { name: 'all' },
          { name: 'team', prefix: 'teams/one', ns: ['team.test'], host: 'team.test' },
          { name: 'some', prefix: 'some', repositories: { allow: ['app', 'base/*'], deny: ['base/b'] } },
          { name: 'fixed', prefix: 'fixed', readOnly: true },
        ],
      },
    });
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop()]));

  /** The requests that reached the registry meanwhile. */
  async function askedBy(action: () => Promise<unknown>): Promise<string[]> {
    const before = registry.requests.length;
    await action();
    return registry.requests.slice(before).map(({ method, target }) => `${method} ${target}`);
  }
  const get = (target: string, host = manifix.host): Promise<HttpAnswer> =>
    exchange(manifix.url, { target, headers: { ...accept, Host: host } });

  it('share one cache, and are answered each in its own words', async () => {
    const ways = [
      ['/v2/app/manifests/1', undefined],
      ['/v2/teams/one/app/manifests/1', undefined],
      ['/v2/app/manifests/1?ns=team.test', undefined],
      ['/v2/app/manifests/1', 'team.test'],
      ['/v2/some/app/manifests/1', undefined],
    ] as const;
    const asked = await askedBy(async () => {
      for (const [target, host] of ways) {
        const answer = await get(target, host);
        expect([answer.status, answer.body.equals(image.bytes)], target).toEqual([200, true]);
      }
    });
    expect(asked).toEqual(['GET /v2/app/manifests/1']);
    const names = await Promise.all(
      ['/v2/app/tags/list', '/v2/teams/one/app/tags/list', '/v2/some/app/tags/list'].map(async (target) => {
        return JSON.parse((await get(target)).body.toString()).name;
      }),
    );
    expect(names).toEqual(['app', 'teams/one/app', 'some/app']);
  });

  it('what one endpoint does not serve is not found there, cached or not, and never asked for', async () => {
    expect((await get('/v2/secret/app/manifests/1')).status).toBe(200);
    const asked = await askedBy(async () => {
      for (const path of ['manifests/1', `manifests/${image.digest}`, 'tags/list', `blobs/${image.digest}`]) {
        for (const repository of ['secret/app', 'base/b', 'nothing/such']) {
          const answer = await get(`/v2/some/${repository}/${path}`);
          expect([answer.status, firstError(answer.body)]).toEqual([
            404,
            {
              code: 'NAME_UNKNOWN',
              message: 'repository name not known to registry',
              detail: { name: `some/${repository}` },
            },
          ]);
        }
      }
    });
    expect(asked).toEqual([]);
    const catalogue = JSON.parse((await get('/v2/some/_catalog')).body.toString());
    expect(catalogue.repositories).toEqual(['some/app', 'some/base/a']);
  });

  it('the catalogue of a prefix can be followed page by page', async () => {
    const found: string[] = [];
    let target: string | undefined = '/v2/teams/one/_catalog?n=1';
    while (target !== undefined) {
      const answer: HttpAnswer = await get(target);
      found.push(...JSON.parse(answer.body.toString()).repositories);
      target = /^<([^>]+)>; rel="next"$/.exec(answer.header('Link') ?? '')?.[1];
    }
    expect(found).toEqual(['app', 'base/a', 'base/b', 'secret/app'].map((name) => `teams/one/${name}`));
  });

  it('a push through a prefix leads to the upstream repository, and is seen at once', async () => {
    await pushImage(`${manifix.url}`, 'teams/one/pushed/app', '2', image);
    expect(registry.content.tags('pushed/app')).toEqual(['2']);
    const answer = await get('/v2/pushed/app/manifests/2');
    expect([answer.status, answer.body.equals(image.bytes)]).toEqual([200, true]);
  });

  it('a manifest that is stored under a prefix has its Location there', async () => {
    const { bytes, mediaType } = image;
    const stored = await exchange(manifix.url, {
      method: 'PUT',
      target: '/v2/teams/one/pushed/app/manifests/3',
      headers: { 'Content-Type': mediaType },
      body: bytes,
    });
    expect(stored.status).toBe(201);
    expect(stored.header('Location')).toBe(`${manifix.url}/v2/teams/one/pushed/app/manifests/${image.digest}`);
  });

  it('a mount from outside the endpoint is an upload, and within it a mount', async () => {
    const blob = image.children[0]?.blobs[0]?.digest ?? '';
    const open = (from: string) =>
      exchange(manifix.url, { method: 'POST', target: `/v2/some/base/a/blobs/uploads/?mount=${blob}&from=${from}` });
    expect((await open('some/app')).status).toBe(201);
    for (const outside of ['app', 'some/secret/app', 'teams/one/app']) {
      const answer = await open(outside);
      expect(answer.status, outside).toBe(202);
      expect(answer.header('Location')).toMatch(new RegExp(`^${manifix.url}/v2/some/base/a/blobs/uploads/`));
    }
  });

  it('a read-only endpoint takes no push, and says so before anything is sent on', async () => {
    const asked = await askedBy(async () => {
      const answer = await exchange(manifix.url, { method: 'POST', target: '/v2/fixed/app/blobs/uploads/' });
      expect([answer.status, firstError(answer.body).code]).toEqual([405, 'UNSUPPORTED']);
    });
    expect(asked).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstError } from '../e2e/registry-errors.ts';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { type SampleImage, sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';

const image = sampleImage('oci-amd64');
const other = sampleImage('docker-amd64');
const on = { 'delete-by-tag': 'on' };

const remove = (server: { url: string }, repository: string, tag: string) =>
  exchange(server.url, { method: 'DELETE', target: `/v2/${repository}/manifests/${tag}` });

describe('delete-by-tag', () => {
  let injector: DefectInjector;
  let manifix: Manifix;
  let repository = '';
  let repositories = 0;

  beforeAll(async () => {
    injector = await startDefectInjector();
    manifix = await startManifix({ config: { upstreams: { registry: { url: injector.url } }, fixes: on } });
  });
  afterAll(() => Promise.all([manifix.stop(), injector.stop()]));

  /** A repository of its own with these tags. */
  function tagged(tags: Readonly<Record<string, SampleImage>>, defect = 'p-delete-by-digest'): string {
    repositories += 1;
    repository = `${defect}/app${repositories}`;
    for (const [tag, its] of Object.entries(tags)) injector.content.addImage(repository, tag, its);
    return repository;
  }
  const tags = () => injector.content.tags(repository).toSorted();

  it('deletes a tag that is alone, by its digest', async () => {
    tagged({ old: image, new: other });
    expect((await remove(injector, repository, 'old')).status).toBe(400);
    const answer = await remove(manifix, repository, 'old');
    expect([answer.status, answer.header('Manifix-Fixes')]).toEqual([202, 'delete-by-tag']);
    expect(tags()).toEqual(['new']);
    expect(injector.content.manifest(repository, image.digest)).toBeUndefined();
  });

  it('deletes nothing that another tag names', async () => {
    tagged({ old: image, latest: image, new: other });
    const answer = await remove(manifix, repository, 'old');
    expect([answer.status, firstError(answer.body).explanation]).toEqual([
      405,
      expect.stringContaining('latest would lose'),
    ]);
    expect(tags()).toEqual(['latest', 'new', 'old']);
  });

  it('deletes nothing that a tagged index needs', async () => {
    const index = sampleImage('index');
    const [child] = index.children;
    tagged({ all: index, ...(child && { one: child }) });
    const answer = await remove(manifix, repository, 'one');
    expect([answer.status, firstError(answer.body).explanation]).toEqual([
      405,
      expect.stringContaining('all would lose'),
    ]);
    expect(injector.content.manifest(repository, child?.digest ?? '')).toBeDefined();
  });

  it('says that a tag does not exist', async () => {
    const answer = await remove(manifix, tagged({ new: other }), 'missing');
    expect([answer.status, firstError(answer.body).code]).toEqual([404, 'MANIFEST_UNKNOWN']);
  });

  it('leaves a registry alone that can delete tags', async () => {
    tagged({ old: image, latest: image }, 'p-healthy');
    const answer = await remove(manifix, repository, 'old');
    expect([answer.status, answer.header('Manifix-Fixes') ?? '']).toEqual([202, expect.not.stringContaining('delete')]);
    expect(tags()).toEqual(['latest']);
  });

  it('is off unless chosen: the refusal is explained', async () => {
    await using plain = await startManifix({ upstream: injector.url });
    const answer = await remove(plain, tagged({ old: image }), 'old');
    expect([answer.status, firstError(answer.body).explanation]).toEqual([
      400,
      expect.stringContaining('by digest only'),
    ]);
    expect(tags()).toEqual(['old']);
  });
});

describeWithTools('delete-by-tag at docker-registry', ['docker-registry'], () => {
  it('deletes a tag that is alone, and none that shares its digest', async () => {
    await using registry = await startDockerRegistry();
    await using manifix = await startManifix({ config: { upstreams: { registry: { url: registry.url } }, fixes: on } });
    for (const tag of ['one', 'two']) await pushImage(registry.url, 'app', tag, image);
    await pushImage(registry.url, 'app', 'other', other);
    expect((await remove(registry, 'app', 'other')).status).toBe(400);
    expect((await remove(manifix, 'app', 'other')).status).toBe(202);
    expect((await remove(manifix, 'app', 'two')).status).toBe(405);
    const list = await exchange(registry.url, { target: '/v2/app/tags/list' });
    expect(JSON.parse(list.body.toString()).tags.toSorted()).toEqual(['one', 'two']);
  });
});

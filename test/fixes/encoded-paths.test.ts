import { describe, expect, it } from 'vitest';
import { encodedPaths } from '../../src/fixes/encoded-paths.ts';
import { startDefectInjector } from '../support/defect-injector.ts';
import { exchange } from '../support/http.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';

const { id } = encodedPaths;
const headers = { Accept: manifestTypes.join(', ') };
const { digest } = sampleImage('index');

describe(id, () => {
  it('reads paths as they were meant, says so, and asks the registry for what it knows', async () => {
    await using registry = await startDefectInjector();
    await using manifix = await startManifix({ upstream: registry.url });
    const ask = (target: string) => exchange(manifix.url, { target, headers });
    for (const [target, plain] of [
      ['//v2/', '/v2/'],
      ['/v2/team/app/tags/list/', '/v2/team/app/tags/list'],
      ['/v2/team%2Fapp/manifests/index', '/v2/team/app/manifests/index'],
      [`/v2/team//app/manifests/${digest.replace(':', '%3A')}/`, `/v2/team/app/manifests/${digest}`],
    ] as const) {
      const [answer, healthy] = [await ask(target), await ask(plain)];
      expect([answer.status, answer.body]).toEqual([200, healthy.body]);
      expect(answer.header('Manifix-Fixes')).toContain(id);
      expect(healthy.header('Manifix-Fixes') ?? '').not.toContain(id);
    }
    expect(registry.requests.filter(({ path }) => /%2f|%3a|\/\/|list\/$/i.test(path))).toEqual([]);
    expect((await exchange(registry.url, { target: '/v2/team/app/tags/list/' })).status).toBe(404);
  });

  it.each(['observe', 'off'])('leaves paths as they are written in mode %s', async (mode) => {
    await using registry = await startDefectInjector();
    await using manifix = await startManifix({
      config: { upstreams: { registry: { url: registry.url } }, fixes: { [id]: mode } },
    });
    const ask = (target: string) => exchange(manifix.url, { target, headers });
    expect((await ask('/v2/team%2Fapp/manifests/index')).status).toBe(400);
    expect((await ask('/v2/team/app/tags/list/')).status).toBe(404);
    expect((await ask(`/v2/team/app/manifests/${digest.replace(':', '%3A')}`)).status).toBe(200);
    expect(registry.requests.map(({ path }) => path)).toContain('/v2/team/app/tags/list/');
  });
});

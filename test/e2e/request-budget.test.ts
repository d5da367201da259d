import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withHeader } from '../support/headers.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';

const image = sampleImage('oci-amd64');
const byTag = '/v2/team/app/manifests/latest';

describe('a registry that counts requests as the Docker Hub does', () => {
  let remaining = 100;
  let registry: RegistryDouble;
  let manifix: Manifix;

  beforeAll(async () => {
    registry = await startRegistryDouble({
      intercept: async (_, respondNormally) => {
        const answer = await respondNormally();
        const limit = withHeader(answer.headers, 'ratelimit-limit', '100;w=21600');
        return { ...answer, headers: withHeader(limit, 'ratelimit-remaining', `${remaining};w=21600`) };
      },
    });
    registry.content.addImage('team/app', 'latest', image);
    manifix = await startManifix({
      config: {
        cache: { tagTtl: '0s' },
        upstreams: { hub: { url: registry.url } },
        endpoints: [{ name: 'default', upstream: 'hub' }],
      },
    });
  });
  afterAll(async () => {
    await manifix?.stop();
    await registry?.stop();
  });

  const adminText = async (path: string) => (await exchange(manifix.adminUrl, { target: path })).body.toString();

  it('is asked about a tag while it allows enough requests', async () => {
    for (const _ of [1, 2]) expect(await exchange(manifix.url, { target: byTag })).toMatchObject({ status: 200 });
    expect(registry.requests.filter(({ path }) => path === byTag)).toHaveLength(2);
    expect(JSON.parse(await adminText('/readyz'))).toEqual({ status: 'ok' });
  });

  it('is left in peace near its end: the known manifest is served and marked, and figures and readiness tell', async () => {
    remaining = 3;
    await exchange(manifix.url, { target: byTag });
    const asked = registry.requests.length;
    const answer = await exchange(manifix.url, { target: byTag });
    expect(answer).toMatchObject({ status: 200, body: image.bytes });
    expect(answer.header('Cache-Status')).toBe('manifix; fwd=stale; detail="rate-limit"');
    expect(answer.header('Warning')).toContain('hardly any more requests');
    const byDigest = await exchange(manifix.url, { target: `/v2/team/app/manifests/${image.digest}` });
    expect(byDigest.header('Cache-Status')).toBe('manifix; hit');
    expect(registry.requests).toHaveLength(asked);

    const labels = `{upstream="hub",origin="${registry.url}"}`;
    const metrics = await adminText('/metrics');
    expect(metrics).toContain(`manifix_upstream_ratelimit_limit${labels} 100\n`);
    expect(metrics).toContain(`manifix_upstream_ratelimit_remaining${labels} 3\n`);
    expect(JSON.parse(await adminText('/readyz')).upstreams[`hub ${registry.url}`]).toContain(
      'allowed 3 more requests',
    );
  });

  it('is asked for what is not known', async () => {
    registry.content.addImage('team/app', 'new', image);
    expect(await exchange(manifix.url, { target: '/v2/team/app/manifests/new' })).toMatchObject({ status: 200 });
  });
});

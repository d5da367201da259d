import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { exchange } from '../support/http.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';
import { run } from '../support/process.ts';
import { startRegistryDouble } from '../support/registry-double.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const [before, after] = [sampleImage('oci-amd64'), sampleImage('docker-amd64')];

let running = new AsyncDisposableStack();
afterEach(async () => {
  await running.disposeAsync();
  running = new AsyncDisposableStack();
});

/** A tag that moved through a manifix with this policy. */
async function startMoved(content: object) {
  const registry = running.use(await startRegistryDouble());
  const manifix = running.use(
    await startManifix({
      config: { cache: { tagTtl: '0s' }, upstreams: { hub: { url: registry.url } }, endpoints: [{ content }] },
    }),
  );
  for (const image of [before, after]) {
    registry.content.addImage('team/app', 'latest', image);
    const headers = { Accept: manifestTypes.join(', ') };
    await exchange(manifix.url, { target: '/v2/team/app/manifests/latest', headers });
  }
  const admin = ['--admin', manifix.adminUrl.replace('http://', '')];
  const command = (...args: readonly string[]) => run(process.execPath, [main, ...args]);
  const explain = async (...args: readonly string[]) => {
    const asked = await command('explain', 'team/app:latest', '--as', 'skopeo', ...admin, ...args);
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    return asked.stdout;
  };
  return {
    registry,
    explain,
    drill: () => command('drill', ...admin),
    warm: () => command('warm', 'team/app:latest', '--listen', manifix.host),
    pull: async () => {
      const headers = { Accept: manifestTypes.join(', ') };
      const answer = await exchange(manifix.url, { target: '/v2/team/app/manifests/latest', headers });
      return { status: answer.status, digest: answer.header('Docker-Content-Digest') };
    },
  };
}

describe('manifix explain', () => {
  it('shows a tag that cools down as it is served, and what the registry says', async () => {
    const { explain } = await startMoved({ coolDown: [{ age: '3d' }] });
    const told = JSON.parse(await explain('--json'));
    expect(told.registry).toMatchObject([{ status: 200, digest: after.digest }]);
    expect(told.manifix).toMatchObject([
      {
        status: 200,
        digest: before.digest,
        policy: expect.stringMatching(`^the tag moved to ${after.digest}, seen first at .* it is served as before$`),
      },
    ]);
    expect(await explain()).toMatch(/^ {4}the tag moved to sha256:/m);
  });

  it('shows a pin, also when only the cache has its content', async () => {
    const digest = before.digest;
    const { explain, registry } = await startMoved({ pins: [{ repository: 'team/*', tag: 'latest', digest }] });
    const pinned = [{ status: 200, digest, policy: `the tag is pinned to ${digest}` }];
    expect(JSON.parse(await explain('--json'))).toMatchObject({ fromCache: false, manifix: pinned });
    registry.content.deleteManifest('team/app', before.digest);
    expect(JSON.parse(await explain('--json'))).toMatchObject({ fromCache: true, manifix: pinned });
  });

  it('shows a denial with the message of the operator', async () => {
    const { explain } = await startMoved({ deny: [{ tags: ['latest'], message: 'use 1.2' }] });
    const told = JSON.parse(await explain('--json'));
    expect(told.registry).toMatchObject([{ status: 200, digest: after.digest }]);
    expect(told.manifix).toMatchObject([{ status: 403, error: { code: 'DENIED', message: 'use 1.2' } }]);
  });
});

describe('manifix drill', () => {
  it.each([
    ['pinned', { pins: [{ repository: 'team/*', tag: 'latest', digest: before.digest }] }],
    ['cooling down', { coolDown: [{ age: '3d' }] }],
  ])('asks for what a tag that is %s is served with', async (_, content) => {
    const { registry, drill, warm, pull } = await startMoved(content);
    expect((await drill()).stdout).toContain('team/app:latest  would fail\n');
    expect(await warm()).toMatchObject({ code: 0 });
    expect(await drill()).toMatchObject({ code: 0, stdout: expect.stringContaining('team/app:latest  would work\n') });
    await registry.stop();
    expect(await pull()).toEqual({ status: 200, digest: before.digest });
  });
});

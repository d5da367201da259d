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
  const admin = manifix.adminUrl.replace('http://', '');
  const explain = async (...args: readonly string[]) => {
    const asked = await run(process.execPath, [
      main,
      'explain',
      'team/app:latest',
      '--as',
      'skopeo',
      '--admin',
      admin,
      ...args,
    ]);
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    return asked.stdout;
  };
  return { registry, explain };
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

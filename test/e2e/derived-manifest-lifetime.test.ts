import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { mediaTypes, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';
import { accept, askForManifest, derived, expectDerived, image } from './derived-index.ts';

/** Deletes every file of the cache but the facts: all cached blobs and manifests are lost. */
async function loseContent(cacheDir: string): Promise<string[]> {
  const entries = await readdir(cacheDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && /(?:blobs|manifests)\//.test(`${entry.parentPath}/`));
  for (const { parentPath, name } of files) await rm(join(parentPath, name));
  return files.map(({ name }) => name);
}

describeWithTools('the life of a manifest that manifix derived', ['docker-registry'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    manifix = await startManifix({ upstream: registry.url });
    await pushImage(registry.url, 'team/app', 'latest', image);
    await expectDerived(manifix.url, 'latest');
    await exchange(manifix.url, { target: `/v2/team/app/blobs/${image.children[0]?.blobs[0]?.digest}` });
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop()]));

  it.each([
    ['a restart', () => manifix.restart()],
    [
      'kill -9',
      async () => {
        await manifix.kill9();
        await manifix.restart();
      },
    ],
    [
      'the loss of every cached blob and manifest',
      async () => {
        await manifix.terminate();
        expect(await loseContent(manifix.cacheDir)).not.toEqual([]);
        await manifix.restart();
      },
    ],
  ])('outlives %s', async (_, happen) => {
    await happen();
    await expectDerived(manifix.url, derived);
    await expectDerived(manifix.url, 'latest');
  });

  it('outlives kill -9 in the moment after it was first announced', async () => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, annotations: { for: 'kill -9' }, manifests: [] }));
    await exchange(registry.url, {
      method: 'PUT',
      target: '/v2/team/app/manifests/fresh',
      headers: { 'Content-Type': mediaTypes.ociIndex },
      body: bytes,
    });
    const head = await askForManifest(manifix.url, 'fresh', 'HEAD');
    await manifix.kill9();
    const digest = head.header('Docker-Content-Digest') ?? '';
    expect(digest).not.toBe(sha256(bytes));
    await manifix.restart();
    expect(sha256((await askForManifest(manifix.url, digest)).body)).toBe(digest);
  });

  describe('when its original is deleted', () => {
    it('is gone with it', async () => {
      await pushImage(registry.url, 'team/deleted', '1', image);
      const target = `/v2/team/deleted/manifests/${derived}`;
      await exchange(manifix.url, { target: '/v2/team/deleted/manifests/1', headers: accept });
      expect((await exchange(manifix.url, { target, headers: accept })).status).toBe(200);
      const explained = await exchange(manifix.url, { method: 'DELETE', target });
      expect([explained.status, explained.body.toString()]).toEqual([404, expect.stringContaining(image.digest)]);
      const original = `/v2/team/deleted/manifests/${image.digest}`;
      expect((await exchange(manifix.url, { method: 'DELETE', target: original })).status).toBe(202);
      expect((await exchange(manifix.url, { target, headers: accept })).status).toBe(404);
    });

    it('is gone too when that happened behind the back of manifix, once the registry is asked again', async () => {
      await pushImage(registry.url, 'team/behind', '1', image);
      await exchange(manifix.url, { target: '/v2/team/behind/manifests/1', headers: accept });
      await exchange(registry.url, { method: 'DELETE', target: `/v2/team/behind/manifests/${image.digest}` });
      await manifix.restart();
      const target = `/v2/team/behind/manifests/${derived}`;
      expect((await exchange(manifix.url, { target, headers: accept })).status).toBe(404);
    });
  });
});

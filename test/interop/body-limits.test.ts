import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ContainersHome, openContainersHome } from '../support/clients/containers.ts';
import { curl } from '../support/clients/curl.ts';
import { startDefectInjector } from '../support/defect-injector.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { mediaTypes, sha256 } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';
import { startNginx } from '../support/nginx.ts';
import { describeWithTools } from '../support/tools.ts';

const MIB = 1024 * 1024;

/** Writes an image with one layer of that size, as skopeo's `dir:` has it. */
async function writeImage(directory: string, size: number): Promise<string> {
  const content = randomBytes(size);
  // What is compressed already is pushed as it is.
  const layer = gzipSync(content);
  const diff = { type: 'layers', diff_ids: [sha256(content)] };
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs: diff }));
  const describeBlob = (bytes: Buffer, mediaType: string) => ({ mediaType, digest: sha256(bytes), size: bytes.length });
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: describeBlob(config, mediaTypes.ociConfig),
    layers: [describeBlob(layer, mediaTypes.ociLayer)],
  };
  await writeFile(join(directory, 'version'), 'Directory Transport Version: 1.1\n');
  await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest));
  for (const blob of [config, layer]) await writeFile(join(directory, sha256(blob).slice('sha256:'.length)), blob);
  return sha256(layer);
}

describeWithTools('layers that are larger than a proxy allows', ['skopeo', 'curl'], () => {
  let home: ContainersHome;

  beforeAll(async () => {
    home = await openContainersHome();
  });
  afterAll(() => home.stop());

  const push = (server: { host: string }, repository: string) =>
    home.skopeo('copy', '--dest-tls-verify=false', `dir:${home.directory}`, `docker://${server.host}/${repository}:1`);
  /** Sends a file with one PUT, of a length that curl does not know in advance. Gives the status. */
  async function putWithCurl(server: { url: string }, repository: string, digest: string): Promise<string> {
    const opened = await exchange(server.url, { method: 'POST', target: `/v2/${repository}/blobs/uploads/` });
    const location = `${new URL(opened.header('Location') ?? '', server.url).href}&digest=${digest}`;
    const file = join(home.directory, digest.slice('sha256:'.length));
    const chunked = ['-H', 'Transfer-Encoding: chunked', '-H', 'Content-Type: application/octet-stream'];
    const { stdout } = await curl('-o', '/dev/null', '-w', '%{http_code}', ...chunked, '-T', file, location);
    return stdout;
  }

  it.each(['p-64k', 'p-411-64k'])('reach a registry with the defect %s by skopeo and curl', async (defect) => {
    await using injector = await startDefectInjector();
    await using manifix = await startManifix({ upstream: injector.url });
    const digest = await writeImage(home.directory, MIB);
    expect((await push(injector, defect)).stderr).toMatch(/41[13]/);
    expect(await putWithCurl(injector, defect, digest)).toMatch(/^41[13]$/);
    const result = await push(manifix, `${defect}/skopeo`);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(await putWithCurl(manifix, `${defect}/curl`, digest)).toBe('201');
    for (const client of ['skopeo', 'curl'])
      expect(injector.content.blob(`${defect}/${client}`, digest), client).toBeDefined();
  });

  describeWithTools('of a registry', ['nginx', 'docker-registry'], () => {
    it('reach docker-registry behind nginx, which stops bodies at 1 MiB, by skopeo and curl', async () => {
      await using registry = await startDockerRegistry();
      await using nginx = await startNginx(registry.url);
      const digest = await writeImage(home.directory, 5 * MIB);
      expect((await push(nginx, 'direct/app')).stderr).toContain('413');
      expect(await putWithCurl(nginx, 'direct/app', digest)).toBe('413');
      for (const client of ['skopeo', 'curl']) {
        // Each finds the limit anew.
        await using manifix = await startManifix({ upstream: nginx.url });
        const repository = `through/${client}`;
        if (client === 'skopeo') {
          const result = await push(manifix, repository);
          expect(result, result.stderr).toMatchObject({ code: 0 });
        } else {
          expect(await putWithCurl(manifix, repository, digest)).toBe('201');
        }
        const stored = await exchange(registry.url, { target: `/v2/${repository}/blobs/${digest}` });
        expect([stored.status, sha256(stored.body)]).toEqual([200, digest]);
      }
    });
  });
});

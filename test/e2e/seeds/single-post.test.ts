import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { curl } from '../../support/clients/curl.ts';
import { type DockerRegistry, startDockerRegistry } from '../../support/docker-registry.ts';
import { exchange, type HttpAnswer } from '../../support/http.ts';
import { sampleImage } from '../../support/images.ts';
import { type Manifix, startManifix } from '../../support/manifix.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary.ts';
import { describeWithTools } from '../../support/tools.ts';
import { firstError } from '../registry-errors.ts';

const image = sampleImage('docker-amd64');
const [config, layer] = image.blobs;

describeWithTools('uploading each blob with a single POST, then the manifest', ['docker-registry', 'curl'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;
  let directory: TemporaryDirectory;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    [manifix, directory] = await Promise.all([startManifix({ upstream: registry.url }), temporaryDirectory()]);
    for (const { bytes, digest } of image.blobs) await writeFile(fileOf(digest), bytes);
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop(), directory.remove()]));

  const fileOf = (digest: string) => join(directory.path, digest.replace(':', '-'));

  async function postBlobs(url: string, repository: string): Promise<string[]> {
    const answers = [];
    for (const { digest } of image.blobs) {
      const { stdout } = await curl(
        ...['-o', join(directory.path, 'answer'), '-w', '%{http_code}'],
        ...['-H', 'Content-Type: application/octet-stream', '--data-binary', `@${fileOf(digest)}`],
        `${url}/v2/${repository}/blobs/uploads/?digest=${digest}`,
      );
      answers.push(stdout);
    }
    return answers;
  }
  function putManifest(url: string, repository: string): Promise<HttpAnswer> {
    return exchange(url, {
      method: 'PUT',
      target: `/v2/${repository}/manifests/1`,
      headers: { 'Content-Type': image.mediaType },
      body: image.bytes,
    });
  }

  it('fails direct: both POSTs are accepted, and the manifest then refers to unknown blobs', async () => {
    expect(await postBlobs(registry.url, 'post/direct')).toEqual(['202', '202']);
    const answer = await putManifest(registry.url, 'post/direct');
    expect(answer.status).toBe(400);
    expect(firstError(answer.body)).toMatchObject({
      code: 'MANIFEST_BLOB_UNKNOWN',
      message: 'blob unknown to registry',
    });
  });

  it('succeeds through manifix, which answers 201 for what is stored', async () => {
    expect(await postBlobs(manifix.url, 'post/manifix')).toEqual(['201', '201']);
    expect((await putManifest(manifix.url, 'post/manifix')).status).toBe(201);
    const stored = await exchange(registry.url, { target: `/v2/post/manifix/blobs/${layer?.digest}` });
    expect(stored.body).toEqual(layer?.bytes);
  });

  it('names the blob in the answer to the POST', async () => {
    const answer = await exchange(manifix.url, {
      method: 'POST',
      target: `/v2/post/named/blobs/uploads/?digest=${config?.digest}`,
      headers: { 'Content-Type': 'application/octet-stream' },
      body: config?.bytes ?? '',
    });
    expect(answer.status).toBe(201);
    expect(answer.header('Docker-Content-Digest')).toBe(config?.digest);
    expect(answer.header('Location')).toBe(`${manifix.url}/v2/post/named/blobs/${config?.digest}`);
    expect(answer.header('Manifix-Fixes')).toContain('single-post-monolithic');
  });

  it('explains a digest that does not match, after a single POST too', async () => {
    const other = `sha256:${'0'.repeat(64)}`;
    const answer = await exchange(manifix.url, {
      method: 'POST',
      target: `/v2/post/wrong/blobs/uploads/?digest=${other}`,
      body: layer?.bytes ?? '',
    });
    expect(answer.status).toBe(400);
    const { code, explanation } = firstError(answer.body);
    expect(code).toBe('DIGEST_INVALID');
    expect(explanation).toContain(`the digest ${layer?.digest}, but the request names ${other}`);
  });

  describe('when blobs are missing all the same', () => {
    it('says which of the manifest they are, where the registry names digests only', async () => {
      const answer = await putManifest(manifix.url, 'post/missing');
      expect(answer.status).toBe(400);
      const { code, explanation } = firstError(answer.body);
      expect(code).toBe('MANIFEST_BLOB_UNKNOWN');
      expect(explanation).toContain(`config (${config?.digest})`);
      expect(explanation).toContain(`layer 1 (${layer?.digest})`);
    });

    it('says which platform of an index is missing', async () => {
      const index = sampleImage('list');
      const answer = await exchange(manifix.url, {
        method: 'PUT',
        target: '/v2/post/index/manifests/1',
        headers: { 'Content-Type': index.mediaType },
        body: index.bytes,
      });
      const { explanation } = firstError(answer.body);
      expect(explanation).toContain('linux/amd64');
      expect(explanation).toContain('linux/arm64');
    });
  });

  it.each(['docker-registry', 'manifix'] as const)('works with POST and PUT against %s', async (server) => {
    const url = server === 'manifix' ? manifix.url : registry.url;
    const repository = `two-steps/${server}`;
    for (const { digest } of image.blobs) {
      const opened = await curl('-X', 'POST', '-D', '-', `${url}/v2/${repository}/blobs/uploads/`);
      const location = /^Location: (\S+)\r$/m.exec(opened.stdout)?.[1];
      const { stdout } = await curl(
        ...['-X', 'PUT', '-w', '%{http_code}', '-H', 'Content-Type: application/octet-stream'],
        ...['--data-binary', `@${fileOf(digest)}`, `${location}&digest=${digest}`],
      );
      expect(stdout).toBe('201');
    }
    expect((await putManifest(url, repository)).status).toBe(201);
  });
});

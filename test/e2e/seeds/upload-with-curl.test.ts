import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { curl } from '../../support/clients/curl.ts';
import { type DockerRegistry, startDockerRegistry } from '../../support/docker-registry.ts';
import { exchange } from '../../support/http.ts';
import { sampleImage, sha256 } from '../../support/images.ts';
import { type Manifix, startManifix } from '../../support/manifix.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary.ts';
import { describeWithTools } from '../../support/tools.ts';
import { firstError } from '../registry-errors.ts';

const layer = sampleImage('docker-amd64').blobs[1]?.bytes ?? Buffer.alloc(0);
const digest = sha256(layer);
/** docker save names a directory by an image id, which is the digest of no layer. */
const directoryName = `sha256:${'39cb81dc'.repeat(8)}`;

describeWithTools('uploading a layer with curl, step by step', ['docker-registry', 'curl'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;
  let directory: TemporaryDirectory;
  let file: string;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    [manifix, directory] = await Promise.all([startManifix({ upstream: registry.url }), temporaryDirectory()]);
    file = join(directory.path, 'layer.tar');
    await writeFile(file, layer);
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop(), directory.remove()]));

  async function openSession(url: string, repository: string): Promise<string> {
    const { stdout } = await curl('-X', 'POST', '-L', '-D', '-', `${url}/v2/${repository}/blobs/uploads`);
    const locations = [...stdout.matchAll(/^location: (\S+)\r$/gim)];
    return locations.at(-1)?.[1] ?? '';
  }
  /** `-w` puts the status on a line of its own behind the body. */
  async function put(url: string, ...options: string[]): Promise<{ status: number; body: string }> {
    const { stdout } = await curl('-X', 'PUT', '-w', '\n%{http_code}', ...options, url);
    const [, body = '', status] = /^([\s\S]*)\n(\d+)$/.exec(stdout) ?? [];
    return { status: Number(status), body };
  }
  function putFile(url: string, ...options: string[]): Promise<{ status: number; body: string }> {
    return put(url, ...options, '--data-binary', `@${file}`);
  }
  async function isStored(repository: string): Promise<boolean> {
    return (
      (await exchange(registry.url, { method: 'HEAD', target: `/v2/${repository}/blobs/${digest}` })).status === 200
    );
  }

  describe('POST to /blobs/uploads without the slash', () => {
    it('direct becomes a GET that finds nothing when curl follows the redirect of a POST with data', async () => {
      const { stdout } = await curl('-L', '-d', '', '-w', '\n%{http_code}', `${registry.url}/v2/slash/blobs/uploads`);
      expect(stdout).toMatch(/\n404$/);
    });

    it('through manifix opens the session, with and without curl -L -X', async () => {
      const followed = await curl('-L', '-d', '', '-w', '%{http_code}', `${manifix.url}/v2/slash/blobs/uploads`);
      expect(followed.stdout).toBe('202');
      const other = await exchange(manifix.url, { method: 'POST', target: '/v2/slash/blobs/uploads' });
      expect(other.status).toBe(202);
      expect(other.header('Manifix-Fixes')).toContain('uploads-no-trailing-slash');
    });
  });

  describe('PUT to the Location with a second question mark', () => {
    it('direct is an upload with invalid state', async () => {
      const location = await openSession(registry.url, 'question');
      const answer = await putFile(`${location}?digest=${digest}`, '-H', 'Content-Type: application/octet-stream');
      expect(answer.status).toBe(404);
      expect(firstError(answer.body)).toMatchObject({
        code: 'BLOB_UPLOAD_INVALID',
        message: 'blob upload invalid',
        detail: expect.any(Number),
      });
      expect(await isStored('question')).toBe(false);
    });

    it('through manifix stores the blob', async () => {
      const location = await openSession(manifix.url, 'question');
      const answer = await putFile(`${location}?digest=${digest}`, '-H', 'Content-Type: application/octet-stream');
      expect(answer).toEqual({ status: 201, body: '' });
      expect(await isStored('question')).toBe(true);
    });
  });

  describe('PUT with the form Content-Type that curl sends by itself', () => {
    it('direct is said to have the wrong digest', async () => {
      const location = await openSession(registry.url, 'form');
      const answer = await putFile(`${location}&digest=${digest}`, '-H', 'Content-Type=application/octet-stream');
      expect(answer.status).toBe(400);
      expect(firstError(answer.body)).toMatchObject({
        code: 'DIGEST_INVALID',
        message: 'provided digest did not match uploaded content',
      });
    });

    it('direct fails with an unknown error as a PATCH', async () => {
      const location = await openSession(registry.url, 'form');
      const { stdout } = await curl('-X', 'PATCH', '--data-binary', `@${file}`, '-w', '\n%{http_code}', location);
      expect(stdout).toBe('{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{}}]}\n\n500');
    });

    it('through manifix stores the blob, by PUT and by PATCH', async () => {
      const location = await openSession(manifix.url, 'form');
      const answer = await putFile(`${location}&digest=${digest}`, '-H', 'Content-Type=application/octet-stream');
      expect(answer).toEqual({ status: 201, body: '' });
      const patched = await curl(
        '-X',
        'PATCH',
        '--data-binary',
        `@${file}`,
        '-D',
        '-',
        await openSession(manifix.url, 'patched'),
      );
      expect(patched.stdout).toMatch(/^HTTP\/1.1 202 /);
      const next = /^Location: (\S+)\r$/m.exec(patched.stdout)?.[1];
      expect((await put(`${next}&digest=${digest}`)).status).toBe(201);
      expect([await isStored('form'), await isStored('patched')]).toEqual([true, true]);
    });
  });

  describe('everything of the report at once', () => {
    it('direct does not get beyond the upload state', async () => {
      const location = await openSession(registry.url, 'all');
      const answer = await putFile(
        `${location}?digest=${directoryName}`,
        '-H',
        'Content-Type=application/octet-stream',
      );
      expect(firstError(answer.body)).toMatchObject({ code: 'BLOB_UPLOAD_INVALID', detail: expect.any(Number) });
    });

    it('through manifix is told which digest arrived, and that a docker save directory has another', async () => {
      const location = await openSession(manifix.url, 'all');
      const answer = await putFile(
        `${location}?digest=${directoryName}`,
        '-H',
        'Content-Type=application/octet-stream',
      );
      expect(answer.status).toBe(400);
      const { code, explanation } = firstError(answer.body);
      expect(code).toBe('DIGEST_INVALID');
      expect(explanation).toContain(
        `${layer.length} bytes and the digest ${digest}, but the request names ${directoryName}`,
      );
      expect(explanation).toContain('the directory names that docker save writes are not digests of layers');
    });

    it('through manifix succeeds with the digest that the explanation names', async () => {
      const location = await openSession(manifix.url, 'all');
      const answer = await putFile(`${location}?digest=${digest}`, '-H', 'Content-Type=application/octet-stream');
      expect(answer.status).toBe(201);
      expect(await isStored('all')).toBe(true);
    });
  });
});

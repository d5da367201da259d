import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openContainersHome } from '../../support/clients/containers.ts';
import { imageClients } from '../../support/clients/image-clients.ts';
import { type DockerRegistry, startDockerRegistry } from '../../support/docker-registry.ts';
import { type GitlabRegistry, startGitlabRegistry } from '../../support/gitlab-registry.ts';
import { exchange, type HttpAnswer } from '../../support/http.ts';
import { manifestTypes, mediaTypes, sampleImage, sha256 } from '../../support/images.ts';
import { type Manifix, startManifix } from '../../support/manifix.ts';
import { pushImage } from '../../support/push-image.ts';
import { describeWithTools } from '../../support/tools.ts';
import { firstError } from '../registry-errors.ts';

const accept = { Accept: manifestTypes.join(', ') };
const image = sampleImage('index-nomt');
const normalised = Buffer.from(image.bytes.toString().replace('{', `{"mediaType":"${mediaTypes.ociIndex}",`));

describeWithTools(
  'an index without mediaType that is pushed to a registry that refuses it',
  ['docker-registry'],
  () => {
    let gitlab: GitlabRegistry;
    let manifix: Manifix;

    beforeAll(async () => {
      gitlab = await startGitlabRegistry();
      const upstreams = { gitlab: { url: gitlab.url, kind: 'gitlab' } };
      const endpoints = [
        { name: 'normalising', upstream: 'gitlab', profile: 'gitlab' },
        { name: 'watching', upstream: 'gitlab', host: 'watching.local' },
      ];
      manifix = await startManifix({ config: { upstreams, endpoints } });
    });
    afterAll(() => Promise.all([manifix.stop(), gitlab.stop()]));

    const ask = (origin: string, reference: string, method = 'GET', repository = 'team/app'): Promise<HttpAnswer> =>
      exchange(origin, { method, target: `/v2/${repository}/manifests/${reference}`, headers: accept });
    const put = (reference: string, headers: Record<string, string> = {}) =>
      exchange(manifix.url, {
        method: 'PUT',
        target: `/v2/team/app/manifests/${reference}`,
        headers: { 'Content-Type': mediaTypes.ociIndex, ...headers },
        body: image.bytes,
      });

    it('is accepted direct, and then refused to everyone', async () => {
      await pushImage(gitlab.url, 'team/direct', 'latest', image);
      const answer = await ask(gitlab.url, 'latest', 'GET', 'team/direct');
      expect([answer.status, firstError(answer.body).message]).toEqual([400, 'Schema 1 manifest not supported']);
      const explained = await ask(manifix.url, 'latest', 'GET', 'team/direct');
      expect(firstError(explained.body).explanation).toContain('profile: gitlab');
    });

    it('is answered with the digest that the client computed, and stored normalised', async () => {
      await pushImage(gitlab.url, 'team/app', 'children', sampleImage('index-nomt'));
      const answer = await put('latest');
      expect(answer.status).toBe(201);
      expect(answer.header('Docker-Content-Digest')).toBe(image.digest);
      expect(answer.header('Location')).toBe(`${manifix.url}/v2/team/app/manifests/${image.digest}`);
      expect(answer.header('Warning')).toContain(`the registry has it as ${sha256(normalised)}`);
      expect(answer.header('Manifix-Fixes')).toContain('push-index-without-mediatype');
      const stored = await ask(gitlab.url, 'latest');
      expect(stored.body).toEqual(normalised);
      expect(stored.header('Docker-Content-Digest')).toBe(sha256(normalised));
    });

    it('is pulled by tag as it is stored, and by the digest of the push as it was pushed, after restart and purge too', async () => {
      const check = async () => {
        for (const method of ['HEAD', 'GET']) {
          const byTag = await ask(manifix.url, 'latest', method);
          expect(byTag.header('Docker-Content-Digest')).toBe(sha256(normalised));
          const byDigest = await ask(manifix.url, image.digest, method);
          expect(byDigest.status).toBe(200);
          expect(byDigest.header('Content-Type')).toBe(mediaTypes.ociIndex);
          expect(byDigest.header('Content-Length')).toBe(String(image.bytes.length));
          expect(byDigest.header('Docker-Content-Digest')).toBe(image.digest);
          expect(byDigest.header('Manifix-Original-Digest')).toBeUndefined();
          expect(byDigest.body).toEqual(method === 'GET' ? image.bytes : Buffer.alloc(0));
        }
      };
      await check();
      await manifix.restart();
      await check();
      for (const selection of [{ all: true }, { repository: 'team/app' }]) {
        const purged = await exchange(manifix.adminUrl, {
          method: 'POST',
          target: '/cache/purge',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify(selection),
        });
        expect(purged.status, purged.body.toString()).toBe(200);
      }
      await check();
    });

    it('may be pushed again, with the same answer', async () => {
      expect((await put('latest')).header('Docker-Content-Digest')).toBe(image.digest);
      expect((await ask(manifix.url, image.digest)).body).toEqual(image.bytes);
    });

    it('goes unchanged when it is pushed by digest, or where the profile is only suggested by the kind', async () => {
      expect((await put(image.digest)).header('Docker-Content-Digest')).toBe(image.digest);
      expect((await ask(gitlab.storage.url, image.digest)).body).toEqual(image.bytes);
      const watched = await put('watched', { Host: 'watching.local' });
      expect(watched.header('Docker-Content-Digest')).toBe(image.digest);
      expect(watched.header('Warning')).toBeUndefined();
      expect((await ask(gitlab.storage.url, 'watched')).body).toEqual(image.bytes);
    });

    it('can be deleted by the digest of the push', async () => {
      await put('deleted');
      const target = `/v2/team/app/manifests/${image.digest}`;
      expect((await exchange(manifix.url, { method: 'DELETE', target })).status).toBe(202);
      expect((await ask(gitlab.url, 'deleted')).status).toBe(404);
    });
  },
);

describeWithTools('clients in front of a registry that refuses an index without mediaType', ['docker-registry'], () => {
  let source: DockerRegistry;
  let gitlab: GitlabRegistry;
  let manifix: Manifix;

  beforeAll(async () => {
    source = await startDockerRegistry();
    await pushImage(source.url, 'team/app', 'latest', image);
    gitlab = await startGitlabRegistry();
    const upstreams = { gitlab: { url: gitlab.url, kind: 'gitlab' } };
    manifix = await startManifix({ config: { upstreams, endpoints: [{ profile: 'gitlab' }] } });
    await pushImage(manifix.url, 'group/project', 'latest', image);
  });
  afterAll(() => Promise.all([manifix.stop(), gitlab.stop(), source.stop()]));

  const ask = (origin: string, repository: string, reference: string) =>
    exchange(origin, { target: `/v2/${repository}/manifests/${reference}`, headers: accept });

  for (const { name, tools, start } of imageClients) {
    describeWithTools(name, tools, () => {
      it('pulls it by tag, and by the digest of the push', async () => {
        await using client = await start();
        for (const reference of [':latest', `@${image.digest}`]) {
          const pull = await client.pull(`${manifix.host}/group/project${reference}`);
          expect(pull, pull.stderr).toMatchObject({ code: 0 });
        }
      });
    });
  }

  // These two push what they pulled byte by byte; containerd compares the digest of the answer with its own.
  for (const { name, tools, start } of imageClients.filter((kind) => ['skopeo', 'containerd'].includes(kind.name))) {
    describeWithTools(name, tools, () => {
      it('pushes it direct, where nobody gets it, and through manifix, where everybody does', async () => {
        await using client = await start();
        const pulled = `${source.host}/team/app:latest`;
        const push = async (origin: string, repository: string) => {
          const pushed = await client.push(pulled, `${new URL(origin).host}/${repository}:latest`);
          expect(pushed, pushed.stderr).toMatchObject({ code: 0 });
          return (await ask(gitlab.url, repository, 'latest')).body;
        };
        await client.pull(pulled);
        expect((await push(gitlab.url, `direct/${name}`)).toString()).toContain('Schema 1 manifest not supported');
        expect(await push(manifix.url, `by/${name}`)).toEqual(normalised);
        expect((await ask(manifix.url, `by/${name}`, image.digest)).body).toEqual(image.bytes);
      });
    });
  }

  describeWithTools('buildah', ['buildah'], () => {
    it('pushes an index that has its mediaType, which stays as it is', async () => {
      await using home = await openContainersHome();
      const buildah = async (...args: string[]) => {
        const result = await home.buildah(...args);
        expect(result, result.stderr).toMatchObject({ code: 0 });
        return result.stdout.trim();
      };
      const container = await buildah('from', '--arch', 'arm64', 'scratch');
      await buildah('config', '--arch', 'arm64', '--os', 'linux', '--cmd', '/hello', container);
      await buildah('commit', '--format', 'oci', container, 'local/app');
      await buildah('manifest', 'create', 'local/list', 'local/app');
      const file = join(home.directory, 'digest');
      const push = ['manifest', 'push', '--all', '--format', 'oci', '--tls-verify=false', '--digestfile', file];
      await buildah(...push, 'local/list', `docker://${manifix.host}/by/buildah:latest`);
      const stored = await ask(gitlab.url, 'by/buildah', 'latest');
      expect(JSON.parse(stored.body.toString()).mediaType).toBe(mediaTypes.ociIndex);
      expect(sha256(stored.body)).toBe((await readFile(file, 'utf8')).trim());
    });
  });
});

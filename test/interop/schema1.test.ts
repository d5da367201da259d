import { afterAll, beforeAll, expect, it } from 'vitest';
import { openContainersHome } from '../support/clients/containers.ts';
import { imageClients } from '../support/clients/image-clients.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { manifestTypes, mediaTypes, sampleImage, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';

const accept = { Accept: manifestTypes.join(', ') };

describeWithTools('an image that exists as schema 1 only', ['docker-registry', 'skopeo'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;
  let plain: Manifix;

  beforeAll(async () => {
    registry = await startDockerRegistry({ schema1: true });
    await using source = await startDockerRegistry();
    await pushImage(source.url, 'team/app', 'latest', sampleImage('docker-amd64'));
    await using home = await openContainersHome();
    const copied = await home.skopeo(
      'copy',
      '--format=v2s1',
      '--src-tls-verify=false',
      '--dest-tls-verify=false',
      `docker://${source.host}/team/app:latest`,
      `docker://${registry.host}/team/old:latest`,
    );
    expect(copied, copied.stderr).toMatchObject({ code: 0 });
    const upstreams = { registry: { url: registry.url } };
    manifix = await startManifix({ config: { upstreams, fixes: { 'schema1-only-image': 'on' } } });
    plain = await startManifix({ upstream: registry.url });
  });
  afterAll(() => Promise.all([manifix.stop(), plain.stop(), registry.stop()]));

  const ask = (origin: string, reference: string, method = 'GET', headers = {}): Promise<HttpAnswer> =>
    exchange(origin, { method, target: `/v2/team/old/manifests/${reference}`, headers: { ...accept, ...headers } });
  const blob = (origin: string, digest: string, method = 'GET', headers = {}) =>
    exchange(origin, { method, target: `/v2/team/old/blobs/${digest}`, headers });
  const configOf = (answer: HttpAnswer): string => JSON.parse(answer.body.toString()).config.digest;

  it('is schema 1 whatever is accepted, and by default through manifix', async () => {
    for (const { url } of [registry, plain]) {
      const answer = await ask(url, 'latest');
      expect([answer.status, answer.header('Content-Type')]).toEqual([
        200,
        'application/vnd.docker.distribution.manifest.v1+prettyjws',
      ]);
    }
  });

  it('is schema 2 by tag, alike by HEAD, which may come first, and GET, before and after a restart', async () => {
    const answers: HttpAnswer[] = [];
    for (const method of ['HEAD', 'GET']) answers.push(await ask(manifix.url, 'latest', method));
    await manifix.restart();
    for (const method of ['HEAD', 'GET']) answers.push(await ask(manifix.url, 'latest', method));
    const [, got] = answers;
    const digest = sha256(got?.body ?? '');
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.header('Content-Type')).toBe(mediaTypes.dockerManifest);
      expect(answer.header('Content-Length')).toBe(String(got?.body.length));
      expect(answer.header('Docker-Content-Digest')).toBe(digest);
      expect(answer.header('ETag')).toBe(`"${digest}"`);
      const original = answer.header('Manifix-Original-Digest');
      expect(answer.header('Warning')).toBe(
        `299 - "manifix converted this image from schema 1; original digest ${original}"`,
      );
    }
    expect((await ask(manifix.url, digest)).body).toEqual(got?.body);
  });

  it('has the layers it had, and a config with the diff ids of their archives', async () => {
    const answer = await ask(manifix.url, 'latest');
    const { config, layers } = JSON.parse(answer.body.toString());
    const sample = sampleImage('docker-amd64');
    const [sampleConfig, sampleLayer] = sample.blobs;
    expect(layers).toMatchObject([{ digest: sampleLayer?.digest, size: sampleLayer?.bytes.length }]);
    const got = await blob(manifix.url, config.digest);
    expect([got.status, sha256(got.body), got.body.length]).toEqual([200, config.digest, config.size]);
    const { rootfs, architecture, os } = JSON.parse(got.body.toString());
    const wanted = JSON.parse(sampleConfig?.bytes.toString() ?? '');
    expect({ rootfs, architecture, os }).toEqual({ rootfs: wanted.rootfs, architecture: 'amd64', os: 'linux' });
    expect((await blob(manifix.url, config.digest, 'HEAD')).header('Content-Length')).toBe(String(config.size));
    expect((await blob(manifix.url, config.digest, 'GET', { Range: 'bytes=2-4' })).body).toEqual(
      got.body.subarray(2, 5),
    );
  });

  it('stays schema 1 by its digest, and for engines that read nothing else', async () => {
    const original = (await ask(manifix.url, 'latest', 'HEAD')).header('Manifix-Original-Digest') ?? '';
    expect((await ask(manifix.url, original)).header('Content-Type')).toMatch('prettyjws');
    const old = await ask(manifix.url, 'latest', 'GET', { 'User-Agent': 'docker/1.9.1 go/go1.4' });
    expect(old.header('Content-Type')).toMatch('prettyjws');
    const unaware = await ask(manifix.url, 'latest', 'GET', { Accept: mediaTypes.ociIndex });
    expect(unaware.header('Content-Type')).toMatch('prettyjws');
  });

  it('can be pushed under another tag, its config included, which the registry does not have', async () => {
    const answer = await ask(manifix.url, 'latest');
    expect((await blob(registry.url, configOf(answer))).status).toBe(404);
    const pushed = await exchange(manifix.url, {
      method: 'PUT',
      target: '/v2/team/old/manifests/converted',
      headers: { 'Content-Type': mediaTypes.dockerManifest },
      body: answer.body,
    });
    expect([pushed.status, pushed.header('Docker-Content-Digest')]).toEqual([201, sha256(answer.body)]);
    expect((await ask(registry.url, 'converted')).body).toEqual(answer.body);
    expect(sha256((await blob(registry.url, configOf(answer))).body)).toBe(configOf(answer));
  });

  for (const { name, tools, start } of imageClients) {
    describeWithTools(`and ${name}`, tools, () => {
      it('is pulled by tag, and by the digest that it has here', async () => {
        await using client = await start();
        const digest = (await ask(manifix.url, 'latest', 'HEAD')).header('Docker-Content-Digest');
        for (const reference of [':latest', `@${digest}`]) {
          const pull = await client.pull(`${manifix.host}/team/old${reference}`);
          expect(pull, pull.stderr).toMatchObject({ code: 0 });
        }
        expect(await client.pulledDigests(`${manifix.host}/team/old:latest`)).toContain(digest);
      });
    });
  }
});

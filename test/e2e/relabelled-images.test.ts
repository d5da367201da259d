import { afterAll, beforeAll, expect, it } from 'vitest';
import { imageClients } from '../support/clients/image-clients.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { manifestTypes, mediaTypes, sampleImage, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushSamples } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';
import { fixesOf } from './answers.ts';

const cases = [
  { name: 'oci-amd64', host: 'docker.local', to: 'docker', type: mediaTypes.dockerManifest },
  { name: 'docker-amd64', host: 'oci.local', to: 'oci', type: mediaTypes.ociManifest },
] as const;

describeWithTools('images in the media types of the other family', ['docker-registry'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    await pushSamples(registry.url, 'team/app');
    const endpoints = [
      { name: 'default', fixes: { 'oci-vs-docker-relabel': 'on' } },
      ...cases.map(({ host, to }) => ({ name: to, host, fixes: { 'oci-vs-docker-relabel': { mode: 'on', to } } })),
    ];
    manifix = await startManifix({ config: { upstreams: { registry: { url: registry.url } }, endpoints } });
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop()]));

  function ask(server: { url: string }, reference: string, method: string, headers: Record<string, string>) {
    return exchange(server.url, { method, target: `/v2/team/app/manifests/${reference}`, headers });
  }

  it.each(cases)('turn $name into $type by tag only, with HEAD as with GET', async ({ name, host, type }) => {
    const sample = sampleImage(name);
    const headers = { Host: host, Accept: manifestTypes.join(', ') };
    const answers: HttpAnswer[] = [];
    for (const method of ['HEAD', 'GET']) answers.push(await ask(manifix, name, method, headers));
    const body = answers[1]?.body ?? Buffer.alloc(0);
    for (const answer of answers) {
      expect(answer.header('Content-Type')).toBe(type);
      expect(answer.header('Docker-Content-Digest')).toBe(sha256(body));
      expect(answer.header('Content-Length')).toBe(String(body.length));
      expect(answer.header('Manifix-Original-Digest')).toBe(sample.digest);
      expect(answer.header('Warning')).toBe(
        `299 - "manifix gave this image other media types; original digest ${sample.digest}"`,
      );
      expect(fixesOf(answer)).toContain('oci-vs-docker-relabel');
    }
    const { config, layers, mediaType } = JSON.parse(body.toString());
    expect(mediaType).toBe(type);
    expect([config.digest, ...layers.map((layer: { digest: string }) => layer.digest)]).toEqual(
      sample.blobs.map(({ digest }) => digest),
    );
    expect((await ask(manifix, sha256(body), 'GET', headers)).body).toEqual(body);
    expect((await ask(manifix, sample.digest, 'GET', headers)).body).toEqual(sample.bytes);
  });

  it('leave indexes and images of the family alone', async () => {
    const headers = { Accept: manifestTypes.join(', ') };
    for (const name of ['index', 'list', 'docker-amd64'] as const) {
      expect((await ask(manifix, name, 'GET', headers)).body).toEqual(sampleImage(name).bytes);
    }
  });

  it('serve a client that accepts Docker types only, which gets 404 direct', async () => {
    const headers = { Accept: mediaTypes.dockerManifest };
    expect((await ask(registry, 'oci-amd64', 'GET', headers)).status).toBe(404);
    const answer = await ask(manifix, 'oci-amd64', 'GET', headers);
    expect([answer.status, answer.header('Content-Type')]).toEqual([200, mediaTypes.dockerManifest]);
  });

  for (const { name, tools, start } of imageClients) {
    describeWithTools(`and ${name}`, tools, () => {
      it('are pulled by tag, under their new digest', async () => {
        await using client = await start();
        const reference = `${manifix.host}/team/app:oci-amd64`;
        const pull = await client.pull(reference);
        expect(pull, pull.stderr).toMatchObject({ code: 0 });
        const headers = { Accept: manifestTypes.join(', ') };
        const digest = (await ask(manifix, 'oci-amd64', 'HEAD', headers)).header('Docker-Content-Digest');
        expect(await client.pulledDigests(reference)).toContain(digest);
      });
    });
  }
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ImageClient, imageClients } from '../support/clients/image-clients.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { manifestTypes, sampleImage, sampleImages, sampleNames, sha256 } from '../support/images.ts';
import { pushSamples } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';

describeWithTools('docker-registry without manifix', ['docker-registry'], () => {
  let registry: DockerRegistry;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    await pushSamples(registry.url, 'test/samples');
  });
  afterAll(() => registry.stop());

  it.each(sampleImages())('serves $name with the bytes and the type it was pushed with', async (image) => {
    const answer = await exchange(registry.url, {
      target: `/v2/test/samples/manifests/${image.name}`,
      headers: { Accept: manifestTypes.join(', ') },
    });
    expect(answer.status).toBe(200);
    expect(answer.header('Content-Type')).toBe(image.mediaType);
    expect(answer.header('Docker-Content-Digest')).toBe(image.digest);
    expect(sha256(answer.body)).toBe(image.digest);
  });

  for (const { name, tools, start } of imageClients) {
    describeWithTools(name, tools, () => {
      let client: ImageClient;

      beforeAll(async () => {
        client = await start();
      });
      afterAll(() => client.stop());

      describe.each(sampleNames)('and %s', (sample) => {
        it('pulls it and knows it by its digest', async () => {
          const reference = `${registry.host}/test/samples:${sample}`;
          const pull = await client.pull(reference);
          expect(pull, pull.stderr).toMatchObject({ code: 0 });
          expect(await client.pulledDigests(reference)).toContain(sampleImage(sample).digest);
        });

        it('pushes what it pulled to another repository', async () => {
          const destination = `pushed/by-${name}`;
          const push = await client.push(
            `${registry.host}/test/samples:${sample}`,
            `${registry.host}/${destination}:${sample}`,
          );
          expect(push, push.stderr).toMatchObject({ code: 0 });
          const answer = await exchange(registry.url, {
            target: `/v2/${destination}/manifests/${sample}`,
            headers: { Accept: manifestTypes.join(', ') },
          });
          expect(answer.status).toBe(200);
        });
      });
    });
  }
});

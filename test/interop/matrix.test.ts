import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ImageClient, imageClients } from '../support/clients/image-clients.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { manifestTypes, mediaTypes, type SampleImage, sampleImage, sampleImages, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushSamples } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';
import { type Engines, startEngines } from './engines.ts';

/** The digest that a tag has through manifix: an index without mediaType gets one there. */
function digestByTag(image: SampleImage): string {
  if (image.name !== 'index-nomt') return image.digest;
  return sha256(image.bytes.toString().replace('{', `{"mediaType":"${mediaTypes.ociIndex}",`));
}

describeWithTools('pulls through manifix in front of docker-registry', ['docker-registry'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;
  let engines: Engines;

  beforeAll(async () => {
    engines = startEngines();
    registry = await startDockerRegistry();
    // What is pulled after the restart is in a repository of its own, which no client has seen before.
    for (const repository of ['team/first', 'team/second']) await pushSamples(registry.url, repository);
    manifix = await startManifix({ upstream: registry.url });
  });
  afterAll(() => Promise.all([engines.stop(), manifix.stop(), registry.stop()]));

  async function pulledDigests(client: ImageClient, reference: string): Promise<string[]> {
    const pull = await client.pull(reference);
    expect(pull, pull.stderr).toMatchObject({ code: 0 });
    return client.pulledDigests(reference);
  }

  describe.each(imageClients)('by $name', (kind) => {
    describeWithTools('on this machine', kind.tools, () => {
      it.each(sampleImages())('work for $name by tag, by its digest and by the digest of the tag', async (image) => {
        const client = await engines.of(kind);
        const repository = `${manifix.host}/team/first`;
        expect(await pulledDigests(client, `${repository}:${image.name}`)).toContain(digestByTag(image));
        // A second pull finds everything there.
        expect(await pulledDigests(client, `${repository}:${image.name}`)).toContain(digestByTag(image));
        for (const digest of new Set([image.digest, digestByTag(image)])) {
          expect(await pulledDigests(client, `${repository}@${digest}`)).toContain(digest);
        }
      });
    });
  });

  describe('after a restart', () => {
    beforeAll(async () => {
      // The digest of the tag is announced before the restart, and asked for after it.
      await exchange(manifix.url, {
        method: 'HEAD',
        target: '/v2/team/second/manifests/index-nomt',
        headers: { Accept: manifestTypes.join(', ') },
      });
      await manifix.restart();
    });

    describe.each(imageClients)('by $name', (kind) => {
      describeWithTools('on this machine', kind.tools, () => {
        it.each(sampleImages())('work for $name by both digests and by tag', async (image) => {
          const client = await engines.of(kind);
          const repository = `${manifix.host}/team/second`;
          const digests = [...new Set([digestByTag(image), image.digest])];
          for (const digest of digests) await pulledDigests(client, `${repository}@${digest}`);
          expect(await pulledDigests(client, `${repository}:${image.name}`)).toContain(digestByTag(image));
          // buildah learns the names of what it had already only by a tag.
          for (const digest of digests) {
            expect(await client.pulledDigests(`${repository}@${digest}`)).toContain(digest);
          }
        });
      });
    });
  });

  it('leave the registry as it was', async () => {
    for (const repository of ['team/first', 'team/second']) {
      const { digest, bytes } = sampleImage('index-nomt');
      const headers = { Accept: manifestTypes.join(', ') };
      const answer = await exchange(registry.url, { target: `/v2/${repository}/manifests/index-nomt`, headers });
      expect([answer.header('Docker-Content-Digest'), answer.body]).toEqual([digest, bytes]);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { sampleImage } from '../support/images.ts';
import { createScene } from '../support/scene.ts';
import { path as blobPath, blobScene, content } from './some-blob.ts';

const image = sampleImage('oci-amd64');
const damaged = Buffer.from(image.bytes).fill(0xff, 10, 20);
const headers = [
  ['Content-Type', image.mediaType],
  ['Docker-Content-Digest', image.digest],
] as const;

const errorOf = (body: Buffer) => JSON.parse(body.toString()).errors[0];

describe('a success that is no answer to a read', () => {
  it.each([201, 203, 204, 206, 226])('is 502 with an explanation, not content: %s to a manifest', async (status) => {
    for (const reference of ['latest', image.digest]) {
      const { ask, upstream, services } = createScene();
      const path = `/v2/team/app/manifests/${reference}`;
      upstream.on('GET HEAD', path, { status, headers, body: damaged });
      for (const method of ['HEAD', 'GET']) expect((await ask(method, path)).status, method).toBe(502);
      expect(errorOf((await ask('GET', path)).body).detail.manifix).toContain('docs/fixes/digest-enforcement.md');
      expect(services.manifests.stored.size).toBe(0);
    }
  });

  it.each([201, 203, 206])('is 502 with an explanation, not content: %s to a blob', async (status) => {
    const { ask, upstream } = blobScene();
    upstream.on('GET', blobPath, { ...content, status });
    const answer = await ask('GET', blobPath);
    expect(answer.status).toBe(502);
    expect(errorOf(answer.body).message).toContain(String(status));
  });
});

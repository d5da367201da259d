import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DefectInjector, startDefectInjector } from '../../support/defect-injector.ts';
import { type DockerRegistry, startDockerRegistry } from '../../support/docker-registry.ts';
import { exchange } from '../../support/http.ts';
import { manifestTypes, mediaTypes, sampleImage, sha256 } from '../../support/images.ts';
import { type Manifix, startManifix } from '../../support/manifix.ts';
import { pushImage } from '../../support/push-image.ts';
import { describeWithTools } from '../../support/tools.ts';
import { firstError } from '../registry-errors.ts';

const image = sampleImage('index-nomt');
const accept = { Accept: manifestTypes.join(', ') };

describe('an index without mediaType in a registry that refuses it, as GitLab does', () => {
  let gitlab: DefectInjector;
  let manifix: Manifix;

  beforeAll(async () => {
    gitlab = await startDefectInjector();
    manifix = await startManifix({ upstream: gitlab.url });
  });
  afterAll(() => Promise.all([manifix.stop(), gitlab.stop()]));

  it.each(['index-nomt', image.digest])('is refused direct as %s, whatever Accept says', async (reference) => {
    for (const headers of [accept, { Accept: mediaTypes.ociIndex }, {}]) {
      const answer = await exchange(gitlab.url, { target: `/v2/gitlab-nomt/manifests/${reference}`, headers });
      expect(answer.status).toBe(400);
      expect(answer.body.toString()).toBe(
        '{"errors":[{"code":"MANIFEST_INVALID","message":"Schema 1 manifest not supported"}]}',
      );
    }
  });

  it.each(['index-nomt', image.digest])('is explained through manifix as %s, with what to do', async (reference) => {
    const answer = await exchange(manifix.url, { target: `/v2/gitlab-nomt/manifests/${reference}`, headers: accept });
    expect(answer.status).toBe(400);
    const { code, message, explanation } = firstError(answer.body);
    expect({ code, message }).toEqual({ code: 'MANIFEST_INVALID', message: 'Schema 1 manifest not supported' });
    expect(explanation).toContain('an index without a mediaType');
    expect(explanation).toContain('buildah manifest push --all --format v2s2');
    expect(explanation).toContain('docs/fixes/opaque-errors.md');
  });

  it('leaves the other manifests of that registry alone', async () => {
    const answer = await exchange(manifix.url, { target: '/v2/gitlab-nomt/manifests/index', headers: accept });
    expect(answer.body).toEqual(sampleImage('index').bytes);
  });
});

describeWithTools('an index without mediaType in docker-registry', ['docker-registry'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    manifix = await startManifix({ upstream: registry.url });
    await pushImage(registry.url, 'team/app', 'latest', image);
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop()]));

  it('has no mediaType direct', async () => {
    const answer = await exchange(registry.url, { target: '/v2/team/app/manifests/latest', headers: accept });
    expect(JSON.parse(answer.body.toString())).not.toHaveProperty('mediaType');
  });

  it('has it by tag through manifix, with a digest of its own and the original one beside it', async () => {
    const answer = await exchange(manifix.url, { target: '/v2/team/app/manifests/latest', headers: accept });
    expect(answer.status).toBe(200);
    const inserted = `{"mediaType":"${mediaTypes.ociIndex}",`;
    expect(answer.body.toString()).toBe(image.bytes.toString().replace('{', inserted));
    expect(answer.header('Content-Type')).toBe(mediaTypes.ociIndex);
    expect(answer.header('Docker-Content-Digest')).toBe(sha256(answer.body));
    expect(answer.header('Manifix-Original-Digest')).toBe(image.digest);
    expect(answer.header('Warning')).toBe(`299 - "manifix added mediaType; original digest ${image.digest}"`);
    expect(answer.header('Manifix-Fixes')).toContain('index-without-mediatype');
  });

  it('stays as it is by digest', async () => {
    const answer = await exchange(manifix.url, { target: `/v2/team/app/manifests/${image.digest}`, headers: accept });
    expect(answer.body).toEqual(image.bytes);
    expect(answer.header('Docker-Content-Digest')).toBe(image.digest);
    expect(answer.header('Manifix-Original-Digest')).toBeUndefined();
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { curl } from '../../support/clients/curl.ts';
import { type DockerRegistry, startDockerRegistry } from '../../support/docker-registry.ts';
import { exchange } from '../../support/http.ts';
import { mediaTypes, sampleImage, sha256 } from '../../support/images.ts';
import { type Manifix, startManifix } from '../../support/manifix.ts';
import { pushImage } from '../../support/push-image.ts';
import { describeWithTools } from '../../support/tools.ts';
import { firstError } from '../registry-errors.ts';
import { shell } from './shell.ts';

const SCHEMA_1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
const image = sampleImage('docker-amd64');

/** What the problem report does: fetch without Accept, keep the text in a variable, push it as schema 2. */
const COPY = `
manifest=$(curl -s "$source_url/v2/app/manifests/1")
curl -s -X PUT -H "Content-Type: ${mediaTypes.dockerManifest}" -d "$manifest" -w '\\n%{http_code}' "$target_url/v2/app/manifests/$tag"
`;
/** The same with the quotes of the report, which keep the variable from being expanded. */
const COPY_WITH_WRONG_QUOTES = COPY.replace('"$manifest"', `'"$manifest"'`);

describeWithTools('copying a manifest with curl and without an Accept header', ['docker-registry', 'curl'], () => {
  let source: DockerRegistry;
  let target: DockerRegistry;
  let sourceManifix: Manifix;
  let targetManifix: Manifix;

  beforeAll(async () => {
    [source, target] = await Promise.all([startDockerRegistry(), startDockerRegistry()]);
    [sourceManifix, targetManifix] = await Promise.all([
      startManifix({ upstream: source.url }),
      startManifix({ upstream: target.url }),
    ]);
    await pushImage(source.url, 'app', '1', image);
    // The report copied the blobs first, which worked.
    await pushImage(target.url, 'app', 'blobs-are-there', image);
  });
  afterAll(() => Promise.all([sourceManifix, targetManifix, source, target].map((server) => server.stop())));

  const direct = (tag: string) => ({ source_url: source.url, target_url: target.url, tag });
  const throughManifix = (tag: string) => ({ source_url: sourceManifix.url, target_url: targetManifix.url, tag });

  async function stored(tag: string): Promise<{ status: number; digest: string }> {
    const answer = await exchange(target.url, {
      target: `/v2/app/manifests/${tag}`,
      headers: { Accept: mediaTypes.dockerManifest },
    });
    return { status: answer.status, digest: sha256(answer.body) };
  }

  it('fails direct: the registry makes a schema 1 manifest and then calls it invalid', async () => {
    const fetched = await exchange(source.url, { target: '/v2/app/manifests/1' });
    expect(fetched.header('Content-Type')).toBe(SCHEMA_1);
    const { stdout } = await shell(COPY, direct('direct'));
    expect(stdout).toBe('{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid","detail":{}}]}\n\n400');
    expect((await stored('direct')).status).toBe(404);
  });

  it('succeeds through manifix: the target gets the bytes of the source', async () => {
    const { stdout } = await shell(COPY, throughManifix('copied'));
    expect(stdout).toBe('\n201');
    expect(await stored('copied')).toEqual({ status: 200, digest: image.digest });
  });

  it('fetches the same schema 2 bytes every time, with the digest of the bytes', async () => {
    const direct = await Promise.all([1, 2].map(() => exchange(source.url, { target: '/v2/app/manifests/1' })));
    expect(sha256(direct[0]?.body ?? '')).not.toBe(sha256(direct[1]?.body ?? ''));
    for (const url of [sourceManifix.url, sourceManifix.url]) {
      const answer = await exchange(url, { target: '/v2/app/manifests/1' });
      expect(answer.header('Content-Type')).toBe(mediaTypes.dockerManifest);
      expect(answer.header('Docker-Content-Digest')).toBe(image.digest);
      expect(answer.body).toEqual(image.bytes);
    }
  });

  it('explains the wrong quotes, which direct give a parser state only', async () => {
    const refused = firstError((await shell(COPY_WITH_WRONG_QUOTES, direct('quotes'))).stdout.replace(/\d+$/, ''));
    expect(refused.detail).toEqual({ Value: 'string', Type: {}, Offset: 11, Struct: '', Field: '' });
    const { stdout } = await shell(COPY_WITH_WRONG_QUOTES, throughManifix('quotes'));
    expect(stdout).toMatch(/\n400$/);
    const explained = firstError(stdout.replace(/\d+$/, ''));
    expect(explained).toMatchObject({ code: 'MANIFEST_INVALID', message: 'manifest invalid' });
    expect(explained.detail).toMatchObject({ Value: 'string', Offset: 11 });
    expect(explained.explanation).toContain('single quotes kept the shell from putting the value of $manifest there');
  });

  it('explains a schema 1 body that was fetched elsewhere, by where it came from', async () => {
    const { body } = await exchange(source.url, { target: '/v2/app/manifests/1' });
    for (const type of [mediaTypes.dockerManifest, SCHEMA_1, 'application/json']) {
      const answer = await exchange(targetManifix.url, {
        method: 'PUT',
        target: '/v2/app/manifests/schema1',
        headers: { 'Content-Type': type },
        // Re-serialised, as a program does that parses it on the way.
        body: JSON.stringify(JSON.parse(body.toString())),
      });
      expect(answer.status).toBe(400);
      const { code, explanation } = firstError(answer.body);
      expect(code).toBe('MANIFEST_INVALID');
      expect(explanation).toContain('a GET whose Accept header names no manifest type');
    }
    expect((await stored('schema1')).status).toBe(404);
  });

  describe('with an index', () => {
    const index = sampleImage('list');

    beforeAll(async () => {
      await pushImage(source.url, 'multi', '1', index);
      for (const child of index.children) await pushImage(target.url, 'multi', child.digest, child);
    });

    it('gives the whole index to curl, where direct there is one image of it in schema 1', async () => {
      const [fromRegistry, fromManifix] = await Promise.all([
        curl('-D', '-', `${source.url}/v2/multi/manifests/1`),
        curl('-D', '-', `${sourceManifix.url}/v2/multi/manifests/1`),
      ]);
      expect(fromRegistry.stdout).toContain(`Content-Type: ${SCHEMA_1}`);
      expect(fromManifix.stdout).toContain(`Content-Type: ${mediaTypes.dockerList}`);
      expect(fromManifix.stdout).toContain(index.bytes.toString());
    });

    it('copies the index with the type that came with it, or with any other', async () => {
      for (const type of [mediaTypes.dockerList, 'application/json;charset=UTF-8', mediaTypes.dockerManifest]) {
        const put = await exchange(targetManifix.url, {
          method: 'PUT',
          target: '/v2/multi/manifests/1',
          headers: { 'Content-Type': type },
          body: index.bytes,
        });
        expect(put.status).toBe(201);
        expect(put.header('Docker-Content-Digest')).toBe(index.digest);
      }
    });
  });
});

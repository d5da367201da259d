import { describe, expect, it } from 'vitest';
import { NO_USER_IN_REFERENCE } from '../../src/config/environment.ts';
import { startDefectInjector } from '../support/defect-injector.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { answer, errorAnswer } from '../support/double/message.ts';
import { exchange } from '../support/http.ts';
import { mediaTypes, type SampleImage, sampleImage, sha256 } from '../support/images.ts';
import { pushImage } from '../support/push-image.ts';
import { startRegistryDouble } from '../support/registry-double.ts';
import { startTokenServer } from '../support/token-server.ts';
import { INDEX, registryThat, repair, repairWith } from './repairing.ts';

/** A real docker-registry that holds this under `app:1`. */
async function registryWith(image: SampleImage) {
  const registry = await startDockerRegistry();
  await pushImage(registry.url, 'app', '1', image);
  const get = (reference: string) =>
    exchange(registry.url, { target: `/v2/app/manifests/${reference}`, headers: { Accept: mediaTypes.ociIndex } });
  return { registry, get, [Symbol.asyncDispose]: registry.stop };
}

describe('manifix repair', () => {
  it('shows what would change and writes nothing with --dry-run', async () => {
    await using scene = await registryWith(INDEX);
    const { code, stdout, stderr } = await repair(scene.registry.url, 'app:1', '--dry-run');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`before  ${INDEX.digest}\n`);
    expect(stdout).toMatch(/^ {2}at byte 1, 54 bytes more\n {2}- "\{.*"\n {2}\+ "\{\\"mediaType\\":/m);
    expect(stdout).toMatch(/^nothing was written$/m);
    expect((await scene.get('1')).body).toEqual(INDEX.bytes);
  });

  it('heals the registry: the tag has the repaired index, and the old digest stays reachable', async () => {
    await using scene = await registryWith(INDEX);
    expect(await repair(scene.registry.url, 'app:1')).toMatchObject({ code: 0, stderr: '' });
    const byTag = await scene.get('1');
    expect(JSON.parse(byTag.body.toString()).mediaType).toBe(mediaTypes.ociIndex);
    expect((await scene.get(INDEX.digest)).body).toEqual(INDEX.bytes);
    const again = await repair(scene.registry.url, 'app:1');
    expect(again).toMatchObject({ code: 0, stdout: 'app:1: nothing to repair: it says what it is\n' });
  });

  it('stores a manifest under the type of its bytes where the registry has it under another, and says so first', async () => {
    const index = sampleImage('index');
    await using registry = await startRegistryDouble();
    registry.content.addImage('app', '1', index);
    registry.content.putManifest('app', '1', { bytes: index.bytes, mediaType: 'application/json' });
    const shown = await repair(registry.url, 'app:1', '--dry-run');
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toBe(
      [
        `app:1: stores it as ${mediaTypes.ociIndex} instead of application/json`,
        `  before  ${index.digest}`,
        `  after   ${index.digest}`,
        '  no byte changes',
        'nothing was written\n',
      ].join('\n'),
    );
    expect(registry.content.manifest('app', '1')?.manifest.mediaType).toBe('application/json');
    expect(await repair(registry.url, 'app:1')).toMatchObject({ code: 0, stderr: '' });
    expect(registry.content.manifest('app', '1')).toMatchObject({
      digest: index.digest,
      manifest: { bytes: index.bytes, mediaType: mediaTypes.ociIndex },
    });
  });

  it('leaves alone what is signed, unless it is forced', async () => {
    await using scene = await registryWith(INDEX);
    await pushImage(scene.registry.url, 'app', `${INDEX.digest.replace(':', '-')}.sig`, sampleImage('oci-amd64'));
    const refused = await repair(scene.registry.url, 'app:1');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain(`signatures or referrers of ${INDEX.digest} exist (sha256-`);
    expect((await scene.get('1')).body).toEqual(INDEX.bytes);
    expect(await repair(scene.registry.url, 'app:1', '--force')).toMatchObject({ code: 0 });
    expect(sha256((await scene.get('1')).body)).not.toBe(INDEX.digest);
  });

  it('asks with the credentials of MANIFIX_USER', async () => {
    await using registry = await startDockerRegistry({
      htpasswd: 'user:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n',
    });
    const config = { upstreams: { lab: { url: registry.url } } };
    const refused = await repairWith(config, ['app:none'], { MANIFIX_USER: 'user:other' });
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/ was answered 401 .*: set MANIFIX_USER=name:password, or /),
    });
    const known = await repairWith(config, ['app:none'], { MANIFIX_USER: 'user:secret' });
    expect(known).toMatchObject({ code: 1, stderr: expect.stringMatching(/ was answered 404 /) });
  });

  it('says that a healthy image needs nothing', async () => {
    await using scene = await registryWith(sampleImage('docker-amd64'));
    const { code, stdout } = await repair(scene.registry.url, 'app:1');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'app:1: nothing to repair: it says what it is\n' });
  });

  it('writes to the registry to which the edge would lead: longest prefix, host, namespace, default', async () => {
    await using main = await startRegistryDouble();
    await using team = await startRegistryDouble();
    const config = {
      upstreams: { main: { url: main.url, kind: 'dockerhub' }, team: { url: team.url } },
      endpoints: [
        { name: 'main', upstream: 'main' },
        { name: 'team', upstream: 'team', prefix: 'team', host: 'team.example.com', ns: ['registry.example.com'] },
      ],
    };
    const wrote = async (reference: string) => {
      for (const { content } of [main, team])
        for (const name of ['app', 'x/app', 'library/app', 'team/x/app']) content.addImage(name, '1', INDEX);
      const before = [main, team].map(({ requests }) => requests.length);
      const result = await repairWith(config, [reference]);
      expect(result).toMatchObject({ code: 0, stderr: '' });
      return [main, team].map(({ requests }, index) =>
        requests.slice(before[index]).flatMap(({ method, path }) => (method === 'PUT' ? [path] : [])),
      );
    };
    expect(await wrote('team/x/app:1')).toEqual([[], ['/v2/x/app/manifests/1']]);
    expect(await wrote('app:1')).toEqual([['/v2/library/app/manifests/1'], []]);
    expect(await wrote('team.example.com/x/app:1')).toEqual([[], ['/v2/x/app/manifests/1']]);
    expect(await wrote('registry.example.com/x/app:1')).toEqual([[], ['/v2/x/app/manifests/1']]);
    expect(await repairWith(config, ['other.example.com/x/app:1'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('refuses what the endpoint would not take from a client', async () => {
    await using registry = await startRegistryDouble();
    const upstreams = { lab: { url: registry.url } };
    const endpoint = { name: 'lab', upstream: 'lab' };
    const readOnly = await repairWith({ upstreams, endpoints: [{ ...endpoint, readOnly: true }] }, ['app:1']);
    expect(readOnly).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('is read-only') });
    const repositories = { deny: ['app'] };
    const denied = await repairWith({ upstreams, endpoints: [{ ...endpoint, repositories }] }, ['app:1']);
    expect(denied).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('takes no push of it') });
    expect(registry.requests).toEqual([]);
  });

  it('gets tokens where each caller has a right of its own: as nobody, or as MANIFIX_USER', async () => {
    await using tokens = await startTokenServer({ users: { ann: 'secret' } });
    await using registry = await startDockerRegistry({ tokenService: tokens });
    const config = { upstreams: { lab: { url: registry.url } } };
    const anonymous = await repairWith(config, ['public/app:none']);
    expect(anonymous).toMatchObject({ code: 1, stderr: expect.stringMatching(/ was answered 404 /) });
    const scopes = ['repository:private/app:pull,push'];
    const question = { user: 'ann', service: tokens.service, scopes } as const;
    const basic = `Basic ${Buffer.from('ann:secret').toString('base64')}`;
    const answer = await fetch(`${tokens.realm}?service=${question.service}&scope=${scopes}`, {
      headers: { Authorization: basic },
    });
    const { token } = (await answer.json()) as { token: string };
    const credentials = { Authorization: `Bearer ${token}` };
    await pushImage(registry.url, 'private/app', '1', INDEX, credentials);
    expect(await repairWith(config, ['private/app:1'])).toMatchObject({ code: 1, stdout: '' });
    const repaired = await repairWith(config, ['private/app:1'], { MANIFIX_USER: 'ann:secret' });
    expect(repaired).toMatchObject({ code: 0, stderr: '' });
    expect(tokens.questions).toContainEqual(expect.objectContaining(question));
  });

  it.each([
    ['a page', 'text/html', '<html>please log in</html>'],
    ['an error', 'application/json', '{"errors":[]}'],
  ])('takes %s with status 200 for no manifest', async (_, type, page) => {
    await using registry = await registryThat(async () => answer(200, [['Content-Type', type]], page));
    const result = await repair(registry.url, 'app:1');
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain(`GET of 1 was answered 200 with ${type} that is no manifest`);
  });

  it('takes a page for no answer about referrers, unless it is forced', async () => {
    await using registry = await registryThat(async ({ path }, respond) =>
      path.includes('/referrers/') ? answer(200, [['Content-Type', 'text/html']], '<html>') : respond(),
    );
    const refused = await repair(registry.url, 'app:1');
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('was answered 200 with no index'),
    });
    expect(await repair(registry.url, 'app:1', '--force')).toMatchObject({ code: 0, stderr: '' });
  });

  it('says that what a registry keeps to itself has to be pushed again', async () => {
    await using registry = await registryThat(async () =>
      errorAnswer(400, 'MANIFEST_INVALID', 'Schema 1 manifest not supported'),
    );
    const { code, stderr } = await repair(registry.url, 'app:1');
    expect(code).toBe(1);
    expect(stderr).toContain('was answered 400 Schema 1 manifest not supported: GitLab hands out no index without');
  });

  it('tells what the registry refuses', async () => {
    await using injector = await startDefectInjector();
    expect(await repair(injector.url, 'x/app:none')).toMatchObject({
      code: 1,
      stderr: 'manifix: x/app:none: GET of none was answered 404 manifest unknown\n',
    });
  });

  it.each([
    [`app@${INDEX.digest}`, `"app@${INDEX.digest}" names a digest, `],
    ['App', '"App" is no image reference such as team/app:1.2'],
    ['other.example.com/app:1', 'no endpoint has the host or namespace other.example.com: '],
    ['user:s3cret@registry.example.com/app:1', NO_USER_IN_REFERENCE],
    ['https://user:s3cret@registry.example.com/v2/app/manifests/1', NO_USER_IN_REFERENCE],
    ['user:s3/cret@registry.example.com/app:1', '"...@registry.example.com/app:1" is no image reference'],
  ])('asks nobody about %s, says why, and repeats no password', async (reference, sentence) => {
    await using registry = await startRegistryDouble();
    const { code, stdout, stderr } = await repair(registry.url, reference);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(`manifix: ${sentence}`),
    });
    expect(stderr).not.toMatch(/s3|cret/);
    expect(registry.requests).toEqual([]);
  });
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDockerd } from '../support/clients/dockerd.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';

/** user, secret */
const htpasswd = 'user:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n';
const image = sampleImage('docker-amd64');
const accept = { Accept: manifestTypes.join(', ') };

describeWithTools('a mirror of a registry that asks for credentials', ['docker-registry'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;

  beforeAll(async () => {
    registry = await startDockerRegistry({ htpasswd });
    const login = `Basic ${Buffer.from('user:secret').toString('base64')}`;
    await pushImage(registry.url, 'library/app', '1', image, { Authorization: login });
    const account = (password: string) => ({ url: registry.url, credentials: { username: 'user', password } });
    const upstreams = { right: account('secret'), wrong: account('wrong'), callers: { url: registry.url } };
    const endpoints = [
      { name: 'mirror', upstream: 'right', profile: 'legacy' },
      { name: 'wrong', upstream: 'wrong', host: 'wrong.local' },
      { name: 'wrong-mirror', upstream: 'wrong', host: 'wrong-mirror.local', profile: 'legacy' },
      { name: 'callers', upstream: 'callers', host: 'callers.local', profile: 'legacy' },
    ];
    manifix = await startManifix({ config: { upstreams, endpoints } });
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop()]));

  const ask = (host: string, target = '/v2/') =>
    exchange(manifix.url, { target, headers: { ...accept, ...(host === '' ? {} : { Host: host }) } });

  it('serves what its account may read to who has no credentials', async () => {
    expect((await exchange(registry.url, { target: '/v2/' })).status).toBe(401);
    expect((await ask('')).status).toBe(200);
    expect((await ask('', '/v2/library/app/manifests/1')).body).toEqual(image.bytes);
  });

  it('says itself that nobody needs credentials, which the registry denies', async () => {
    const direct = await ask('wrong.local');
    expect([direct.status, direct.header('Cache-Status')]).toEqual([200, expect.stringContaining('fwd=stale')]);
    const answer = await ask('wrong-mirror.local');
    expect([answer.status, answer.header('Docker-Distribution-Api-Version')]).toEqual([200, 'registry/2.0']);
    expect(answer.header('Cache-Status')).not.toContain('stale');
    expect(answer.header('Manifix-Fixes')).toContain('mirror-without-credentials');
    const pulled = await ask('wrong-mirror.local', '/v2/library/app/manifests/1');
    expect([pulled.status, pulled.header('WWW-Authenticate')]).toEqual([401, undefined]);
  });

  it('leaves the login to clients where their credentials count', async () => {
    const answer = await ask('callers.local');
    expect([answer.status, answer.header('WWW-Authenticate')]).toEqual([401, expect.stringContaining('Basic')]);
  });

  describeWithTools('told to dockerd', ['dockerd', 'docker', 'containerd'], () => {
    it('brings it an image that needs an account', async () => {
      await using engine = await startDockerd({ registryMirrors: [manifix.url] });
      const pull = await engine.docker('pull', 'app:1');
      expect(pull, pull.stderr).toMatchObject({ code: 0 });
      expect(pull.stdout).toContain(image.digest);
    });
  });
});

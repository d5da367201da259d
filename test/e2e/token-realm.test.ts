import { afterAll, beforeAll, expect, it } from 'vitest';
import { openContainersHome } from '../support/clients/containers.ts';
import { startDockerd } from '../support/clients/dockerd.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { hang, head, respond } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';
import { startTokenServer, type TokenServer } from '../support/token-server.ts';
import { describeWithTools } from '../support/tools.ts';

const basic = { Authorization: `Basic ${Buffer.from('user:secret').toString('base64')}` };
const realmIn = (challenge: string | undefined) => /realm="([^"]*)"/.exec(challenge ?? '')?.[1] ?? '';

describeWithTools('a docker-registry with tokens behind manifix', ['docker-registry'], () => {
  let tokens: TokenServer;
  let registry: DockerRegistry;
  let manifix: Manifix;

  beforeAll(async () => {
    tokens = await startTokenServer({ users: { user: 'secret' }, post: false });
    registry = await startDockerRegistry({ tokenService: tokens });
    const endpoints = [
      { name: 'default', upstream: 'registry' },
      { name: 'team', upstream: 'registry', prefix: 'mirrors/team', ns: ['team.example.com'] },
    ];
    manifix = await startManifix({ config: { upstreams: { registry: { url: registry.url } }, endpoints } });
    const own = { registry: { url: registry.url, credentials: { username: 'user', password: 'secret' } } };
    await using writer = await startManifix({ config: { upstreams: own } });
    await pushImage(writer.url, 'team/app', '1', sampleImage('list'));
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop(), tokens.stop()]));

  /** Asks as clients do: first without a token, then with one of the realm. */
  async function pull(target: string, credentials: Readonly<Record<string, string>> = basic) {
    const refused = await exchange(manifix.url, { target });
    expect(refused.status).toBe(401);
    const challenge = refused.header('WWW-Authenticate');
    const realm = new URL(realmIn(challenge));
    expect(realm.origin).toBe(manifix.url);
    for (const name of ['service', 'scope']) {
      const value = new RegExp(`${name}="([^"]*)"`).exec(challenge ?? '')?.[1];
      if (value !== undefined) realm.searchParams.append(name, value);
    }
    const given = await exchange(manifix.url, { target: realm.pathname + realm.search, headers: credentials });
    const { token } = given.status === 200 ? JSON.parse(given.body.toString()) : { token: '' };
    const answer = await exchange(manifix.url, { target, headers: { Authorization: `Bearer ${token}` } });
    return { challenge, given, answer };
  }

  it('names manifix as its realm, which gives the token of the service to whoever has the right', async () => {
    const { given, answer } = await pull('/v2/team/app/manifests/1');
    expect([given.status, answer.status]).toEqual([200, 200]);
    const stranger = await pull('/v2/team/app/manifests/1', {});
    expect(stranger.answer.status).toBe(401);
    const wrong = { Authorization: `Basic ${Buffer.from('user:guessed').toString('base64')}` };
    expect((await pull('/v2/team/app/manifests/1', wrong)).given.status).toBe(401);
    expect(manifix.output()).not.toMatch(/secret|guessed|eyJ\w{10}/);
  });

  it('is asked in its own names below a prefix and for a namespace', async () => {
    const below = await pull('/v2/mirrors/team/team/app/manifests/1');
    expect(below.challenge).toContain(`realm="${manifix.url}/token"`);
    expect(below.challenge).toContain('scope="repository:mirrors/team/team/app:pull"');
    expect(below.answer.status).toBe(200);
    const mirrored = await pull('/v2/team/app/manifests/1?ns=team.example.com');
    expect(mirrored.challenge).toContain(`realm="${manifix.url}/token/team"`);
    expect(mirrored.answer.status).toBe(200);
  });

  it('gives tokens to clients that POST although its service knows GET only', async () => {
    await pull('/v2/team/app/manifests/1');
    const form = { grant_type: 'password', username: 'user', password: 'secret', service: tokens.service };
    const answer = await exchange(manifix.url, {
      method: 'POST',
      target: '/token',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...form, scope: 'repository:team/app:pull' }).toString(),
    });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      token: expect.any(String),
      access_token: expect.any(String),
    });
    expect(answer.header('Manifix-Fixes')).toContain('token-shapes');
    expect(tokens.questions.at(-1)).toMatchObject({
      method: 'GET',
      user: 'user',
      scopes: ['repository:team/app:pull'],
    });
  });

  describeWithTools('skopeo, podman and docker', ['skopeo', 'podman', 'dockerd', 'docker', 'containerd'], () => {
    it('log in, pull and push', async () => {
      await using home = await openContainersHome();
      const image = `docker://${manifix.host}/team/app:1`;
      const flags = ['--tls-verify=false', '--creds', 'user:secret'];
      const inspected = await home.skopeo('inspect', '--raw', ...flags, image);
      expect(inspected, inspected.stderr).toMatchObject({ code: 0, stdout: sampleImage('list').bytes.toString() });
      const [tls, ...creds] = ['--tls-verify=false', '--username', 'user', '--password', 'secret'] as const;
      const entered = await home.podman('login', tls, ...creds, manifix.host);
      expect(entered, entered.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('Login Succeeded') });
      await using engine = await startDockerd();
      const login = await engine.docker('login', '--username', 'user', '--password', 'secret', manifix.host);
      expect(login, login.stderr).toMatchObject({ code: 0 });
      expect(await engine.docker('pull', `${manifix.host}/team/app:1`)).toMatchObject({ code: 0 });
      await engine.docker('tag', `${manifix.host}/team/app:1`, `${manifix.host}/team/copy:1`);
      const pushed = await engine.docker('push', `${manifix.host}/team/copy:1`);
      expect(pushed, pushed.stderr).toMatchObject({ code: 0 });
    });
  });
});

it('a 401 without its challenge gets that of /v2/, with the scope of the request; without the fix it does not', async () => {
  await using tokens = await startTokenServer({ users: { user: 'secret' } });
  await using registry = await startScriptedUpstream();
  registry.on('GET', /^\/v2\/$/, [
    head(401, [`WWW-Authenticate: Bearer realm="${tokens.realm}",service="s"`, 'Content-Length: 0']),
  ]);
  registry.on('GET', /manifests/, [head(401, ['Content-Length: 0'])]);
  await using manifix = await startManifix({ upstream: registry.url });
  await using plain = await startManifix({
    config: { upstreams: { r: { url: registry.url } }, fixes: { 'challenge-missing': 'off' } },
  });
  const target = '/v2/team/app/manifests/1';
  const answer = await exchange(manifix.url, { target });
  expect(answer.header('WWW-Authenticate')).toBe(
    `Bearer realm="${manifix.url}/token",service="s",scope="repository:team/app:pull"`,
  );
  expect(answer.header('Manifix-Fixes')).toContain('challenge-missing');
  const metrics = (await exchange(manifix.adminUrl, { target: '/metrics' })).body.toString();
  expect(metrics).toContain('manifix_upstream_defects{upstream="default",fix="challenge-missing"} 1');
  expect((await exchange(plain.url, { target })).header('WWW-Authenticate')).toBeUndefined();
});

it('an unencrypted or internal realm of a registry that is neither gets no client; a realm of somebody else stays', async () => {
  await using registry = await startScriptedUpstream();
  const challenge = (realm: string) => [head(401, [`WWW-Authenticate: Bearer realm="${realm}"`, 'Content-Length: 0'])];
  registry.on('GET', /elsewhere/, challenge('https://ghcr.io/token'));
  registry.on('GET', /password/, challenge('https://u:p@ghcr.io/token'));
  await using manifix = await startManifix({ upstream: registry.url });
  const elsewhere = await exchange(manifix.url, { target: '/v2/elsewhere/manifests/1' });
  expect(elsewhere.header('WWW-Authenticate')).toContain('realm="https://ghcr.io/token"');
  const refused = await exchange(manifix.url, { target: '/v2/password/manifests/1' });
  expect([refused.status, refused.header('WWW-Authenticate')]).toEqual([502, undefined]);
  expect(refused.body.toString()).toContain('No credentials were sent there');
});

it('a token service that keeps silent is given up long before clients give up', async () => {
  await using registry = await startScriptedUpstream();
  const challenge = `Bearer realm="${registry.url}/silent",service="registry"`;
  registry.on('GET', /^\/v2\//, [respond(401, [['WWW-Authenticate', challenge]])]);
  registry.on('GET', /^\/silent/, [hang()]);
  await using manifix = await startManifix({ upstream: registry.url });
  const target = '/token?service=registry&scope=repository:app:pull,push';
  const answer = await exchange(manifix.url, { target, headers: basic });
  expect(answer.status).toBe(504);
  expect(answer.body.toString()).toContain('UNAVAILABLE');
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { startDefectInjector } from '../support/defect-injector.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';
import { run } from '../support/process.ts';
import { pushImage } from '../support/push-image.ts';
import { startRegistryDouble } from '../support/registry-double.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { startTokenServer } from '../support/token-server.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const INDEX = sampleImage('index-nomt');

/** A command that asks this manifix. */
const asking =
  (adminUrl: string, env: Readonly<Record<string, string>> = {}) =>
  (...args: readonly string[]) =>
    run(process.execPath, [main, ...args, '--admin', adminUrl.replace('http://', '')], { env });

/** A real docker-registry with an index that lacks its mediaType, and manifix in front of it. */
async function startScene() {
  await using started = new AsyncDisposableStack();
  const registry = started.use(await startDockerRegistry());
  await pushImage(registry.url, 'app', 'index', INDEX);
  await pushImage(registry.url, 'app', 'docker', sampleImage('docker-amd64'));
  const manifix = started.use(await startManifix({ upstream: registry.url }));
  const everything = started.move();
  return {
    registry,
    manifix,
    command: asking(manifix.adminUrl),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

describe('manifix explain', () => {
  it('shows both answers, the fixes with their reasons, both digests, the clients and the cache', async () => {
    await using scene = await startScene();
    const { manifix, command } = scene;
    const cold = await command('explain', 'app:index', '--json');
    expect(cold).toMatchObject({ code: 0, stderr: '' });
    const told = JSON.parse(cold.stdout);
    const derived = told.digests.derived;
    expect(told).toMatchObject({
      endpoint: 'default',
      upstream: 'default',
      registry: [{ method: 'GET', status: 200, digest: INDEX.digest, sha256: INDEX.digest }],
      manifix: [{ method: 'GET', status: 200, digest: derived, sha256: derived }],
      digests: { canonical: INDEX.digest },
      cache: { tags: [], content: null },
    });
    expect(derived).not.toBe(INDEX.digest);
    expect(told.fixes).toContainEqual({
      id: 'index-without-mediatype',
      mode: 'on',
      note: `added mediaType to ${INDEX.digest}`,
    });
    const stats = await exchange(manifix.adminUrl, { target: '/cache/stats' });
    expect(JSON.parse(stats.body.toString())).toMatchObject({ manifests: { count: 0 }, tags: 0 });

    await exchange(manifix.url, { target: '/v2/app/manifests/index' });
    const { cache } = JSON.parse((await command('explain', `${manifix.url}/v2/app/manifests/index`, '--json')).stdout);
    expect(cache).toMatchObject({ tags: [{ digest: INDEX.digest }], derived: [derived], access: 'open' });
    expect(cache.content.images).toMatchObject([
      { platform: 'linux/amd64', state: 'never-pulled' },
      { platform: 'linux/arm64', state: 'never-pulled' },
    ]);
  });

  it('finds the endpoint by the name of a registry, by prefix and as the default, also of a manifix with TLS', async () => {
    await using directory = await temporaryDirectory();
    await using registry = await startRegistryDouble();
    registry.content.addImage('app', '1', INDEX);
    const { certificate, key } = makeCertificate({ name: 'manifix', hosts: ['127.0.0.1'] });
    const tls = { cert: join(directory.path, 'tls.crt'), key: join(directory.path, 'tls.key') };
    await writeFile(tls.cert, certificate);
    await writeFile(tls.key, key);
    const endpoints = [{ name: 'all' }, { name: 'lab', ns: ['lab.test'], prefix: 'mirrors/lab' }];
    await using manifix = await startManifix({
      config: { upstreams: { only: { url: registry.url } }, endpoints, tls },
    });
    const command = asking(manifix.adminUrl);
    for (const [reference, endpoint] of [
      ['lab.test/app:1', 'lab'],
      ['mirrors/lab/app:1', 'lab'],
      ['app:1', 'all'],
    ] as const) {
      const { stdout, stderr } = await command('explain', reference, '--as', 'curl', '--json');
      expect(JSON.parse(stdout || stderr), reference).toMatchObject({ endpoint, manifix: [{ status: 200 }] });
    }
  });

  it('says what a client without manifix would show', async () => {
    await using scene = await startScene();
    const { stdout } = await scene.command('explain', 'app:docker', '--json');
    const { clients, fixes } = JSON.parse(stdout);
    expect(clients).toContainEqual({ client: 'containerd', directly: null, throughManifix: null });
    expect(fixes.map(({ id }: { id: string }) => id)).toContain('accept-missing-schema1');
  });

  it('tells in a table which client fails without manifix, in its own words', async () => {
    await using injector = await startDefectInjector();
    await using manifix = await startManifix({ upstream: injector.url });
    const command = asking(manifix.adminUrl);
    const { stdout } = await command('explain', 'ct-json/app:index', '--as', 'skopeo');
    expect(stdout).toMatch(/^ {2}skopeo +unsupported schema version 2 +works$/m);
    expect(stdout).toMatch(/^ {2}content-type-generic +on +replaced application\/json by /m);
  });

  it('tells of each client what it would meet alone, and of all fixes that helped one', async () => {
    await using injector = await startDefectInjector();
    await using manifix = await startManifix({ upstream: injector.url });
    const { clients, fixes } = JSON.parse(
      (await asking(manifix.adminUrl)('explain', 'head404/app:index', '--json')).stdout,
    );
    const failing = clients.flatMap(({ client, directly }: { client: string; directly: string | null }) =>
      directly === null ? [] : [client],
    );
    expect(failing).toEqual(['containerd', 'crane']);
    expect(clients.filter(({ throughManifix }: { throughManifix: string | null }) => throughManifix !== null)).toEqual(
      [],
    );
    expect(fixes.map(({ id }: { id: string }) => id)).toEqual([
      'accept-shape',
      'accept-missing-oci-404',
      'accept-missing-schema1',
      'head-unsupported',
    ]);
  });

  it('says that a registry gave no answer, in its place why, and of lists only what curl gets', async () => {
    // Nobody listens there, and nobody will.
    await using manifix = await startManifix({ upstream: 'http://127.0.0.1:1' });
    const command = asking(manifix.adminUrl);
    const { code, stdout } = await command('explain', 'app:1', '--as', 'skopeo');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^the registry answers\n {2}GET {2}\/v2\/app\/manifests\/1 {2}no answer\n {4}UNAVAILABLE: The registry \S+ \(\S+\) refused the connection\n\n/m,
    );
    expect(stdout).toMatch(/^ {2}skopeo +no answer +502 The registry /m);
    const list = JSON.parse((await command('explain', `${manifix.url}/v2/app/tags/list`, '--json')).stdout);
    expect(list).toMatchObject({
      registry: [{ isStandIn: true }],
      clients: [{ client: 'curl', directly: 'no answer' }],
    });
  });

  it('tells of a fix that is off what it would do', async () => {
    await using injector = await startDefectInjector();
    const config = { upstreams: { lab: { url: injector.url } }, fixes: { 'content-type-generic': 'off' } };
    await using manifix = await startManifix({ config });
    const { stdout } = await asking(manifix.adminUrl)('explain', 'ct-json/app:index', '--as', 'skopeo');
    expect(stdout).toMatch(/^ {2}content-type-generic +off, would fire +replaced application\/json by /m);
    expect(stdout).toMatch(/^ {2}skopeo +unsupported schema version 2 +unsupported schema version 2$/m);
  });

  it('asks with the credentials of whoever asks, and shows them nowhere', async () => {
    const registry = await startDockerRegistry({
      // user:password
      htpasswd: 'user:$2y$05$6oVHwEVgPL0hWYjAuzb8BeVEqLVu.lAyKTY1eOZ2TZcUjfHcWIfKy\n',
    });
    await using _ = registry;
    await using manifix = await startManifix({ upstream: registry.url });
    const anonymous = await asking(manifix.adminUrl)('explain', 'app:1', '--as', 'curl', '--json');
    expect(JSON.parse(anonymous.stdout).manifix).toMatchObject([{ status: 401 }]);
    const known = await asking(manifix.adminUrl, { MANIFIX_USER: 'user:wrong-secret' })('explain', 'app:1');
    expect(known.stdout + known.stderr + manifix.output()).not.toMatch(/wrong-secret|dXNlcjp3cm9uZy1zZWNyZXQ/);
  });

  it('shows what only the running manifix has: a derived digest, and what is cached while the registry is down', async () => {
    await using scene = await startScene();
    const { manifix, command, registry } = scene;
    const pulled = await exchange(manifix.url, { target: '/v2/app/manifests/index' });
    const derived = pulled.header('Docker-Content-Digest');
    const byDigest = JSON.parse((await command('explain', `app@${derived}`, '--as', 'skopeo', '--json')).stdout);
    expect(byDigest).toMatchObject({
      registry: [{ status: 404 }],
      manifix: [{ status: 200, digest: derived, sha256: derived }],
      fromCache: true,
      digests: { canonical: INDEX.digest, derived },
      clients: [{ client: 'skopeo', throughManifix: null }],
      cache: { original: INDEX.digest, content: { digest: INDEX.digest } },
    });
    await registry.stop();
    const { stdout } = await command('explain', 'app:index', '--as', 'skopeo');
    expect(stdout).toMatch(/^manifix answers from its cache$/m);
    expect(stdout).toMatch(/^ {2}manifest +sha256:\S+, open to all$/m);
    const resolved = await command('resolve', 'app:index', '--json');
    expect(JSON.parse(resolved.stdout || resolved.stderr)).toMatchObject({ canonical: INDEX.digest, derived });
  });

  it('says that a tag whose time is over is served stale while the registry is down', async () => {
    await using registry = await startDockerRegistry();
    await pushImage(registry.url, 'app', 'index', INDEX);
    const config = { upstreams: { r: { url: registry.url } }, cache: { tagTtl: '1ms' } };
    await using manifix = await startManifix({ config });
    await exchange(manifix.url, { target: '/v2/app/manifests/index' });
    await registry.stop();
    const { stdout } = await asking(manifix.adminUrl)('explain', 'app:index', '--as', 'skopeo');
    expect(stdout).toMatch(/^ +stale: /m);
  });

  it('fetches tokens as clients do: an image that is open to all works directly and through manifix', async () => {
    await using tokens = await startTokenServer({ users: { user: 'secret' }, post: false });
    await using registry = await startDockerRegistry({ tokenService: tokens });
    const image = sampleImage('docker-amd64');
    const credentials = { username: 'user', password: 'secret' };
    await using writer = await startManifix({ config: { upstreams: { r: { url: registry.url, credentials } } } });
    await pushImage(writer.url, 'public/app', '1', image);
    await pushImage(writer.url, 'team/app', '1', image);
    await using manifix = await startManifix({ upstream: registry.url });
    const nobody = asking(manifix.adminUrl);
    const open = JSON.parse((await nobody('explain', 'public/app:1', '--json')).stdout);
    expect(open).toMatchObject({ registry: [{ status: 200 }], manifix: [{ status: 200 }] });
    for (const { client, directly, throughManifix } of open.clients)
      expect({ client, directly, throughManifix }).toEqual({ client, directly: null, throughManifix: null });
    expect(await nobody('resolve', 'public/app:1')).toMatchObject({ code: 0 });
    expect(await nobody('resolve', 'team/app:1')).toMatchObject({ code: 1 });
    const known = asking(manifix.adminUrl, { MANIFIX_USER: 'user:secret' });
    const resolved = await known('resolve', 'team/app:1');
    expect(resolved).toMatchObject({ code: 0, stdout: expect.stringContaining(image.digest) });
    // With the fix off clients go to the registry's own realm, and explain gets its tokens all the same.
    await using plain = await startManifix({
      config: { upstreams: { r: { url: registry.url } }, fixes: { 'token-realm': 'off' } },
    });
    expect(await asking(plain.adminUrl)('resolve', 'public/app:1')).toMatchObject({ code: 0 });
  });

  it('asks the token service of somebody else as nobody, whatever the registry says', async () => {
    await using tokens = await startTokenServer({ users: { user: 'secret' } });
    // Another host, as far as names tell, that leads to this machine.
    const elsewhere = tokens.realm.replace('127.0.0.1', '0.0.0.0');
    await using registry = await startDockerRegistry({ tokenService: { ...tokens, realm: elsewhere } });
    const credentials = { username: 'user', password: 'secret' };
    const realms = [new URL(elsewhere).origin];
    await using writer = await startManifix({
      config: { upstreams: { r: { url: registry.url, credentials, realms } } },
    });
    for (const name of ['public/app', 'team/app']) await pushImage(writer.url, name, '1', sampleImage('docker-amd64'));
    const before = tokens.questions.length;
    await using manifix = await startManifix({ upstream: registry.url });
    const known = asking(manifix.adminUrl, { MANIFIX_USER: 'user:secret' });
    const open = JSON.parse((await known('explain', 'public/app:1', '--as', 'skopeo', '--json')).stdout);
    expect(open).toMatchObject({ registry: [{ status: 200 }], manifix: [{ status: 200 }] });
    const closed = JSON.parse((await known('explain', 'team/app:1', '--as', 'skopeo', '--json')).stdout);
    expect(closed).toMatchObject({ registry: [{ status: 401 }], manifix: [{ status: 401 }] });
    const users = tokens.questions.slice(before).map(({ user }) => user);
    expect([users.length > 0, users.filter((user) => user !== '')]).toEqual([true, []]);
  });

  it("shows the registry's own error for a blob that it does not have", async () => {
    await using injector = await startDefectInjector();
    await using manifix = await startManifix({ upstream: injector.url });
    const url = `${manifix.url}/v2/app/blobs/sha256:${'0'.repeat(64)}`;
    const { stdout } = await asking(manifix.adminUrl)('explain', url, '--json');
    expect(JSON.parse(stdout).registry).toMatchObject([{ status: 404, error: { code: 'BLOB_UNKNOWN' } }]);
  });

  it('keeps the query of a reference to itself, and takes no password in it', async () => {
    await using injector = await startDefectInjector();
    await using manifix = await startManifix({ upstream: injector.url });
    const command = asking(manifix.adminUrl);
    const url = `${manifix.url}/v2/app/manifests/index?token=SECRET2`;
    for (const flags of [[], ['--json']]) {
      const { code, stdout, stderr } = await command('explain', url, '--as', 'curl', ...flags);
      expect(code, stderr).toBe(0);
      expect(stdout).not.toContain('SECRET2');
    }
    for (const withPassword of [url.replace('//', '//user:s3cret@'), `user:s3cret@${manifix.host}/app:1`]) {
      const refused = await command('explain', withPassword);
      expect(refused).toMatchObject({ code: 2, stdout: '' });
      expect(refused.stderr).toContain('set MANIFIX_USER=name:password');
      expect(refused.stderr).not.toMatch(/s3cret|SECRET2/);
      const listener = await exchange(manifix.adminUrl, {
        target: `/explain?reference=${encodeURIComponent(withPassword)}`,
      });
      expect(listener.status).toBe(400);
      expect(listener.body.toString()).not.toMatch(/s3cret|SECRET2/);
    }
  });

  it.each([
    [['explain', 'App'], 2, '"App" is neither an image reference such as team/app:1.2 nor a URL below /v2/'],
    [['explain', 'app', '--as', 'crain'], 2, '--as: expected curl, containerd, dockerd, skopeo, crane, got "crain"'],
    [['explain'], 2, 'REFERENCE is missing'],
    [['resolve', 'app:none'], 1, 'app:none: 404 manifest unknown'],
  ])('answers %j with a plain sentence', async (args, code, sentence) => {
    await using injector = await startDefectInjector();
    await using manifix = await startManifix({ upstream: injector.url });
    const result = await asking(manifix.adminUrl)(...args);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toContain(`manifix: ${sentence}`);
  });

  it('wants name and password in MANIFIX_USER, and does not repeat what is there', async () => {
    const { code, stdout, stderr } = await asking('http://127.0.0.1:1', { MANIFIX_USER: 's3cret' })('explain', 'app');
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: 'manifix: MANIFIX_USER: expected NAME:PASSWORD\n',
    });
  });

  it('says so when no manifix answers', async () => {
    const { code, stderr } = await asking('http://127.0.0.1:1')('explain', 'app');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'manifix: no manifix answers on http://127.0.0.1:1. Start it, or name its admin listener with --admin.\n',
    });
  });
});

describe('manifix resolve', () => {
  it('leads from a tag to both digests, and from the derived one back', async () => {
    await using scene = await startScene();
    const { manifix, command } = scene;
    const byTag = JSON.parse((await command('resolve', 'app:index', '--json')).stdout);
    expect(byTag).toMatchObject({ canonical: INDEX.digest });
    await exchange(manifix.url, { target: '/v2/app/manifests/index' });
    const back = await command('resolve', `app@${byTag.derived}`);
    expect(back).toMatchObject({ code: 0, stdout: `canonical  ${INDEX.digest}\nderived    ${byTag.derived}\n` });
    const canonical = await command('resolve', `app@${INDEX.digest}`);
    expect(canonical.stdout).toBe(back.stdout);
  });
});

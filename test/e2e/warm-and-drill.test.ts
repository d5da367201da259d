import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { makeCertificate } from '../support/certificate.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { headerValue } from '../support/headers.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';
import { passwordLine } from '../support/password-line.ts';
import { run } from '../support/process.ts';
import { pushImage } from '../support/push-image.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const INDEX = sampleImage('index');
const IMAGE = sampleImage('docker-amd64');
const TYPES =
  'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json';

/** A real docker-registry with an index and an image, and manifix in front of it. */
async function startScene() {
  await using started = new AsyncDisposableStack();
  const registry = started.use(await startDockerRegistry());
  await pushImage(registry.url, 'team/app', '1', INDEX);
  await pushImage(registry.url, 'team/tool', '2', IMAGE);
  const manifix = started.use(await startManifix({ upstream: registry.url }));
  const everything = started.move();
  const admin = manifix.adminUrl.replace('http://', '');
  return {
    registry,
    manifix,
    warm: (...args: readonly string[]) => run(process.execPath, [main, 'warm', ...args, '--listen', manifix.host]),
    ask: (...args: readonly string[]) => run(process.execPath, [main, ...args, '--admin', admin]),
    async purge(digest: string | undefined) {
      const headers = { 'Content-Type': 'application/json' };
      const body = JSON.stringify({ digest });
      await exchange(manifix.adminUrl, { method: 'POST', target: '/cache/purge', headers, body });
    },
    get: (target: string) => exchange(manifix.url, { target, headers: { Accept: TYPES } }),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

describe('manifix warm', () => {
  it('makes images pullable without the registry, byte for byte, in the platforms asked for', async () => {
    await using scene = await startScene();
    const warmed = await scene.warm('team/app:1', 'team/tool:2', '--platform', 'linux/amd64');
    expect(warmed).toMatchObject({ code: 0, stderr: '' });
    expect(warmed.stdout).toMatch(/^team\/app:1 {2}1 image, 2 blobs, .*\nteam\/tool:2 {2}1 image, 2 blobs, .*\n$/);
    await scene.registry.stop();
    const index = await scene.get('/v2/team/app/manifests/1');
    expect(index.body).toEqual(INDEX.bytes);
    const [amd64, arm64] = INDEX.children;
    for (const blob of [...(amd64?.blobs ?? []), ...IMAGE.blobs]) {
      const repository = IMAGE.blobs.includes(blob) ? 'team/tool' : 'team/app';
      const answer = await scene.get(`/v2/${repository}/blobs/${blob.digest}`);
      expect({ status: answer.status, same: answer.body.equals(blob.bytes) }).toEqual({ status: 200, same: true });
    }
    expect((await scene.get(`/v2/team/app/manifests/${arm64?.digest}`)).status).toBeGreaterThanOrEqual(500);
  });

  it('explains each failure and goes on with the others', async () => {
    await using scene = await startScene();
    const { code, stdout } = await scene.warm(
      'team/none',
      'Team',
      'team/app:1',
      '--platform',
      'linux/s390x',
      'team/tool:2',
    );
    expect(code).toBe(1);
    expect(stdout).toContain('team/none  incomplete\n  manifest: 404 manifest unknown\n');
    expect(stdout).toContain('Team  incomplete\n  it is no image reference such as team/app:1.2\n');
    expect(stdout).toContain('team/app:1  incomplete\n  linux/s390x: the index has no image for it\n');
    expect(stdout).toMatch(/^team\/tool:2 {2}1 image, 2 blobs/m);
  });

  it('tells the outcome as JSON', async () => {
    await using scene = await startScene();
    const { stdout } = await scene.warm('team/app:1', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      results: [{ reference: 'team/app:1', images: 2, blobs: 4, failures: [] }],
    });
  });

  it('sends a password only to the registry that asks for it', async () => {
    await using open = await startRegistryDouble();
    const basic = `Basic ${Buffer.from('ann:secret').toString('base64')}`;
    await using guarded = await startRegistryDouble({
      intercept: async ({ headers }, respond) =>
        headerValue(headers, 'Authorization') === basic
          ? respond()
          : { status: 401, headers: [['WWW-Authenticate', 'Basic realm="guarded"']], body: Buffer.alloc(0) },
    });
    for (const { content } of [open, guarded]) content.addImage('app', '1', IMAGE);
    await using manifix = await startManifix({
      config: {
        upstreams: { open: { url: open.url }, guarded: { url: guarded.url } },
        endpoints: [
          { name: 'open', upstream: 'open' },
          { name: 'guarded', upstream: 'guarded', host: 'guarded.example.com' },
        ],
      },
    });
    const images = ['guarded.example.com/app:1', 'app:1'];
    const env = { MANIFIX_USER: 'ann:secret' };
    const warmed = await run(process.execPath, [main, 'warm', ...images, '--listen', manifix.host], { env });
    expect(warmed).toMatchObject({ code: 0, stderr: '' });
    const sent = (registry: RegistryDouble) =>
      new Set(registry.requests.map(({ headers }) => headerValue(headers, 'Authorization')));
    expect([...sent(open)]).toEqual([undefined]);
    expect([...sent(guarded)]).toEqual([undefined, basic]);
  });

  it('logs in where manifix knows its clients, also under a name that leads elsewhere and a certificate for another', async () => {
    await using home = await temporaryDirectory();
    await using registry = await startRegistryDouble();
    registry.content.addImage('app', '1', IMAGE);
    const { certificate, key } = makeCertificate({ name: 'manifix.example.com' });
    const file = (name: string) => join(home.path, name);
    await writeFile(file('tls.crt'), certificate);
    await writeFile(file('tls.key'), key);
    await writeFile(file('users'), passwordLine('bob', 'secret'));
    const endpoint = {
      upstream: 'hub',
      auth: { htpasswd: file('users') },
      rights: [{ who: ['bob'], allow: ['pull'] }],
    };
    const config = {
      upstreams: { hub: { url: registry.url, credentials: 'none' } },
      endpoints: [
        { name: 'team', ...endpoint },
        { name: 'host', ...endpoint, host: 'team.invalid' },
      ],
      tls: { cert: file('tls.crt'), key: file('tls.key') },
    };
    await using manifix = await startManifix({ config });
    await writeFile(file('config.yaml'), stringify(config));
    const warm = (env: Readonly<Record<string, string>>) => {
      const images = ['app:1', 'team.invalid/app:1'];
      const place = ['--listen', manifix.host, '--config', file('config.yaml')];
      return run(process.execPath, [main, 'warm', ...images, ...place], { env });
    };
    expect(await warm({ MANIFIX_USER: 'bob:secret' })).toMatchObject({ code: 0, stderr: '' });
    const stranger = await warm({});
    expect(stranger.code).toBe(1);
    expect(stranger.stdout).toMatch(/^ {2}manifest: 401 .*; set MANIFIX_USER to NAME:PASSWORD$/m);
  });

  it('says what it lacks', async () => {
    const { code, stderr } = await run(process.execPath, [main, 'warm', '--config', '/nowhere.yaml']);
    expect(code).toBe(2);
    expect(stderr).toContain('/nowhere.yaml');
  });
});

describe('manifix drill', () => {
  it('finds what would fail without the registry, fills it, and is right about it', async () => {
    await using scene = await startScene();
    await scene.warm('team/app:1', 'team/tool:2');
    expect(await scene.ask('drill')).toMatchObject({ code: 0 });
    await scene.purge(IMAGE.blobs[1]?.digest);
    const failing = await scene.ask('drill');
    expect(failing.code).toBe(1);
    expect(failing.stdout).toContain('team/tool:2  would fail\n  layer 1 is not in the cache\n');
    expect(failing.stdout).toContain('team/app:1  would work\n');
    expect(failing.stdout).toMatch(/^1 of 2 tags that were pulled since \S+ would fail without the registries\n$/m);

    const filled = await scene.ask('drill', '--fill', '--listen', scene.manifix.host);
    expect(filled).toMatchObject({ code: 0, stderr: '' });
    await scene.registry.stop();
    expect((await scene.get(`/v2/team/tool/blobs/${IMAGE.blobs[1]?.digest}`)).status).toBe(200);
  });

  it('tells what it could not fill, and why', async () => {
    await using scene = await startScene();
    await scene.warm('team/tool:2');
    const missing = IMAGE.blobs[1]?.digest;
    await scene.purge(missing);
    await exchange(scene.registry.url, { method: 'DELETE', target: `/v2/team/tool/blobs/${missing}` });
    const { code, stdout, stderr } = await scene.ask('drill', '--fill', '--listen', scene.manifix.host);
    expect(code).toBe(1);
    expect(stdout).toContain('team/tool:2  would fail\n');
    expect(stderr).toMatch(new RegExp(`^manifix: team/tool:2: layer \\d ${missing}: 404 `, 'm'));
  });

  it('asks where clients connect when it is led to a manifix by --admin', async () => {
    await using scene = await startScene();
    const { code, stderr } = await scene.ask('drill', '--fill');
    expect(code).toBe(2);
    expect(stderr).toContain('manifix: --fill with --admin needs --listen HOST:PORT');
  });

  it('asks only about what was pulled lately', async () => {
    await using scene = await startScene();
    const { code, stdout } = await scene.ask('drill', '--since', '1h', '--json');
    expect({ code, told: JSON.parse(stdout) }).toMatchObject({ code: 0, told: { tags: [], failing: 0 } });
  });
});

describe('manifix report', () => {
  it('lists whose requests were repaired, with the page to read', async () => {
    await using scene = await startScene();
    await exchange(scene.manifix.url, { target: '/v2/team/app/manifests/1', headers: { 'User-Agent': 'curl/8.0' } });
    const { code, stdout } = await scene.ask('report');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^1 +accept-missing-oci-404 +curl +default +team\/app +docs\/fixes\/accept-missing-oci-404\.md$/m,
    );
    const told = JSON.parse((await scene.ask('report', '--top', '1', '--json')).stdout);
    expect(told).toMatchObject({ offenders: [{ count: 1, client: 'curl' }], more: expect.any(Number) });
  });
});

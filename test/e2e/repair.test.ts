import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { startDefectInjector } from '../support/defect-injector.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { answer, type DoubleResponse, errorAnswer } from '../support/double/message.ts';
import { exchange } from '../support/http.ts';
import { mediaTypes, type SampleImage, sampleImage, sha256 } from '../support/images.ts';
import { run } from '../support/process.ts';
import { pushImage } from '../support/push-image.ts';
import { type Intercept, startRegistryDouble } from '../support/registry-double.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { startTokenServer } from '../support/token-server.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const INDEX = sampleImage('index-nomt');

const repair = (url: string, ...args: readonly string[]) => repairWith({ upstreams: { lab: { url } } }, args);

async function repairWith(config: object, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  await using home = await temporaryDirectory();
  const file = join(home.path, 'config.yaml');
  await writeFile(file, stringify(config));
  return await run(process.execPath, [main, 'repair', ...args, '--config', file], { env });
}

/** A real docker-registry that holds this under `app:1`. */
async function registryWith(image: SampleImage) {
  const registry = await startDockerRegistry();
  await pushImage(registry.url, 'app', '1', image);
  const get = (reference: string) =>
    exchange(registry.url, { target: `/v2/app/manifests/${reference}`, headers: { Accept: mediaTypes.ociIndex } });
  return { registry, get, [Symbol.asyncDispose]: registry.stop };
}

/** A registry in memory that holds the index under `app:1`, and does this to every request. */
async function registryThat(intercept: Intercept) {
  const registry = await startRegistryDouble({ intercept });
  registry.content.addImage('app', '1', INDEX);
  return registry;
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
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/ was answered 401 /) });
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

  it('shows what will change before it writes', async () => {
    await using registry = await registryThat(async ({ method }, respond) => (method === 'PUT' ? 'cut' : respond()));
    const { code, stdout, stderr } = await repair(registry.url, 'app:1');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ {2}at byte 1, 54 bytes more$/m);
    expect(stderr).toContain('the tag still has its old manifest');
  });

  it('writes nothing when the old digest cannot be read', async () => {
    await using registry = await registryThat(({ path }, respond) =>
      path.endsWith(INDEX.digest) && path.includes('/manifests/')
        ? Promise.resolve(errorAnswer(404, 'MANIFEST_UNKNOWN', 'manifest unknown'))
        : respond(),
    );
    const result = await repair(registry.url, 'app:1');
    expect(result).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`GET of ${INDEX.digest} was answered 404`),
    });
    expect(registry.requests.filter(({ method }) => method === 'PUT')).toEqual([]);
  });

  it.each([
    ['cannot be read back', () => errorAnswer(500, 'UNKNOWN', 'broken'), 'GET of 1 was answered 500 broken'],
    [
      'comes back with another Content-Type',
      (answer: DoubleResponse) => ({ ...answer, headers: [['Content-Type', 'application/json'] as const] }),
      'but gives it as application/json: a proxy',
    ],
  ])('gives the tag its old manifest back when what it pushed %s', async (_, spoil, sentence) => {
    let puts = 0;
    await using registry = await registryThat(async ({ method, path }, respond) => {
      const answer = await respond();
      if (method === 'PUT') puts += 1;
      return method === 'GET' && path.endsWith('/manifests/1') && puts === 1 ? spoil(answer) : answer;
    });
    const { code, stderr } = await repair(registry.url, 'app:1');
    expect(code).toBe(1);
    expect(stderr).toContain(sentence);
    expect(stderr).toContain('; the old manifest was put back under the tag\n');
    expect(registry.content.manifest('app', '1')?.digest).toBe(INDEX.digest);
  });

  it('gives the tag its old manifest back when the registry stored other bytes', async () => {
    let puts = 0;
    await using registry = await registryThat(async (request, respond) => {
      if (request.method === 'PUT') puts += 1;
      return request.method === 'PUT' && puts === 1 ? respond({ ...request, body: Buffer.from('{}') }) : respond();
    });
    const { code, stderr } = await repair(registry.url, 'app:1');
    expect(code).toBe(1);
    expect(stderr).toContain('but the tag has the digest sha256:44136fa');
    expect(stderr).toContain('; the old manifest was put back under the tag\n');
    expect(registry.content.manifest('app', '1')?.digest).toBe(INDEX.digest);
  });

  it.each(['took', 'refused'])(
    'leaves alone what somebody else pushed after the registry %s the repair',
    async (fate) => {
      const theirs = sampleImage('oci-amd64');
      await using registry = await registryThat(async ({ method }, respond) => {
        if (method !== 'PUT') return await respond();
        const taken = fate === 'took' ? await respond() : errorAnswer(500, 'UNKNOWN', 'broken');
        registry.content.addImage('app', '1', theirs);
        return taken;
      });
      const { code, stderr } = await repair(registry.url, 'app:1');
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining(`; the tag got ${theirs.digest} from somebody else meanwhile, and keeps it\n`),
      });
      expect(registry.content.manifest('app', '1')?.digest).toBe(theirs.digest);
    },
  );

  it('says so when the tag cannot get its old manifest back', async () => {
    let puts = 0;
    await using registry = await registryThat(async ({ method, path }, respond) => {
      if (method === 'PUT') puts += 1;
      if (method === 'PUT' && puts > 1) return errorAnswer(500, 'UNKNOWN', 'broken');
      const found = await respond();
      return method === 'GET' && path.endsWith('/manifests/1') && puts === 1
        ? { ...found, headers: [['Content-Type', 'application/json'] as const] }
        : found;
    });
    const { code, stderr } = await repair(registry.url, 'app:1');
    expect(code).toBe(1);
    expect(stderr).toContain('the old manifest could not be put back (PUT of 1 was answered 500 broken): see what');
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

  it('tells what the registry refuses, and what makes no sense', async () => {
    await using injector = await startDefectInjector();
    expect(await repair(injector.url, 'x/app:none')).toMatchObject({
      code: 1,
      stderr: 'manifix: x/app:none: GET of none was answered 404 manifest unknown\n',
    });
    expect(await repair(injector.url, `app@${INDEX.digest}`)).toMatchObject({ code: 2, stdout: '' });
  });
});

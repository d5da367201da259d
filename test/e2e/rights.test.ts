import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';
import { temporaryDirectory } from '../support/temporary.ts';

/** The password is "secret". */
const HTPASSWD = 'bob:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n';
const BASIC = { Authorization: `Basic ${Buffer.from('bob:secret').toString('base64')}` };
const PULLS = { who: ['bob'], allow: ['pull', 'list'], repositories: ['team/**'] };

describe('the rights of a running manifix', () => {
  let registry: RegistryDouble;

  beforeAll(async () => {
    registry = await startRegistryDouble();
    for (const name of ['team/app', 'other/app']) registry.content.addImage(name, '1', sampleImage('index'));
  });
  afterAll(() => registry.stop());

  /** Starts manifix on a file that `configure` writes anew. */
  async function stage(directory: string) {
    const file = join(directory, 'config.yaml');
    const htpasswd = join(directory, 'users.htpasswd');
    const configure = (rights: readonly object[]) =>
      writeFile(
        file,
        stringify({
          upstreams: { registry: { url: registry.url, credentials: 'none' } },
          endpoints: [{ name: 'team', auth: { htpasswd }, rights }],
        }),
      );
    await writeFile(htpasswd, HTPASSWD);
    await configure([PULLS]);
    const start = () => startManifix({ args: ['--config', file], cacheDir: join(directory, 'cache') });
    return { configure, start };
  }

  const pull = async ({ url }: Manifix, headers: Readonly<Record<string, string>>, name = 'team/app') =>
    (await exchange(url, { target: `/v2/${name}/manifests/1`, headers })).status;
  const bearer = async ({ url }: Manifix) => {
    const target = '/token?service=team&scope=repository:team/app:pull';
    const { token } = JSON.parse((await exchange(url, { target, headers: BASIC })).body.toString());
    return { Authorization: `Bearer ${token}` };
  };

  it('count with the next request after a reload, also for tokens and answers that were given a moment ago', async () => {
    await using directory = await temporaryDirectory();
    const { configure, start } = await stage(directory.path);
    await using manifix = await start();
    const token = await bearer(manifix);
    for (const headers of [BASIC, token, BASIC, token]) expect(await pull(manifix, headers)).toBe(200);
    expect([await pull(manifix, {}), await pull(manifix, BASIC, 'other/app')]).toEqual([401, 404]);
    await configure([{ who: ['bob'], deny: ['pull'] }, PULLS]);
    manifix.signal('SIGHUP');
    await manifix.outputMatches(/^reload: done$/m);
    expect([await pull(manifix, BASIC), await pull(manifix, token)]).toEqual([404, 404]);
    expect(manifix.output()).not.toMatch(/secret|eyJ\w{10}/);
  });

  it('know tokens after a restart', async () => {
    await using directory = await temporaryDirectory();
    const { start } = await stage(directory.path);
    const before = await start();
    const token = await bearer(before);
    await before.stop();
    await using manifix = await start();
    expect(await pull(manifix, token)).toBe(200);
  });

  it('show only names that may be listed, and tell nothing to whoever is nobody', async () => {
    await using directory = await temporaryDirectory();
    const { start } = await stage(directory.path);
    await using manifix = await start();
    const catalogue = await exchange(manifix.url, { target: '/v2/_catalog', headers: BASIC });
    expect(JSON.parse(catalogue.body.toString())).toEqual({ repositories: ['team/app'] });
    expect((await exchange(manifix.url, { target: '/v2/_catalog' })).status).toBe(401);
    expect((await exchange(manifix.url, { target: '/v2/team/app/tags/list', headers: BASIC })).status).toBe(200);
  });
});

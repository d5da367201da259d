import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange } from '../support/http.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const image = sampleImage('oci-amd64');
const other = sampleImage('docker-amd64');
/** The password is "secret". */
const HASH = '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a';
const as = (user: string) => ({ Authorization: `Basic ${Buffer.from(`${user}:secret`).toString('base64')}` });

describe('a policy on content of an endpoint with rights', () => {
  const cleanup = new AsyncDisposableStack();
  let registry: RegistryDouble;
  let manifix: Manifix;

  const ask = (user: string, method: string, target: string, headers = {}, body?: Buffer) =>
    exchange(manifix.url, {
      method,
      target,
      headers: { Accept: manifestTypes.join(', '), ...as(user), ...headers },
      ...(body && { body }),
    });

  beforeAll(async () => {
    registry = cleanup.use(await startRegistryDouble());
    registry.content.addImage('app/web', '1.0', image);
    registry.content.addImage('app/web', '2.0', other);
    const directory = cleanup.use(await temporaryDirectory());
    const htpasswd = join(directory.path, 'users.htpasswd');
    await writeFile(htpasswd, ['bob', 'ann'].map((user) => `${user}:${HASH}\n`).join(''));
    const denied = { message: 'withdrawn', repositories: ['app/*'], tags: ['1.*'], digests: [image.digest] };
    manifix = cleanup.use(
      await startManifix({
        config: {
          upstreams: { hub: { url: registry.url, credentials: 'none' } },
          endpoints: [
            {
              name: 'team',
              auth: { htpasswd, challenge: 'basic' },
              rights: [{ who: ['bob'], allow: ['pull', 'push'], repositories: ['app/**'] }],
              content: { deny: [denied], pins: [{ repository: 'app/web', tag: 'latest', digest: other.digest }] },
            },
          ],
        },
      }),
    );
  });
  afterAll(() => cleanup.disposeAsync());

  it('is told to those who may pull', async () => {
    const told = await ask('bob', 'GET', '/v2/app/web/manifests/1.0');
    expect(told.status).toBe(403);
    expect(JSON.parse(told.body.toString()).errors[0]).toMatchObject({ code: 'DENIED', message: 'withdrawn' });
    expect((await ask('bob', 'GET', '/v2/app/web/manifests/latest')).header('Manifix-Policy')).toBe('pin');
  });

  it('shows to nobody else, whatever is asked, more than a repository that does not exist', async () => {
    const pushed = { 'Content-Type': image.mediaType };
    const layer = image.blobs[1]?.digest;
    for (const [method, target, body] of [
      ['GET', 'manifests/1.0'],
      ['HEAD', 'manifests/1.0'],
      ['GET', `manifests/${image.digest}`],
      ['GET', 'manifests/latest'],
      ['GET', `blobs/${image.digest}`],
      ['GET', `blobs/${layer}`],
      ['PUT', 'manifests/1.0', image.bytes],
      ['POST', `blobs/uploads/?mount=${image.digest}&from=app/other`],
    ] as const) {
      const [there, absent] = await Promise.all(
        ['app/web', 'app/nil'].map(async (name) => {
          const { status, headers, body: told } = await ask('ann', method, `/v2/${name}/${target}`, pushed, body);
          const fields = headers.filter(([field]) => !/^date$/i.test(field));
          return { status, fields, told: told.toString().replaceAll(name, 'NAME') };
        }),
      );
      expect(there, `${method} ${target}`).toEqual(absent);
      expect(JSON.stringify(there)).not.toMatch(/withdrawn|Manifix-Policy/);
    }
  });

  it('refuses a push with the message, and the history names who pushed', async () => {
    const headers = { 'Content-Type': other.mediaType };
    const denied = await ask('bob', 'PUT', '/v2/app/web/manifests/1.1', headers, other.bytes);
    expect(denied.status).toBe(403);
    expect(`${denied.body}`).toContain('withdrawn');
    expect(await ask('bob', 'PUT', '/v2/app/web/manifests/2.1', headers, other.bytes)).toMatchObject({ status: 201 });
    const history = await exchange(manifix.adminUrl, { target: '/tags/history?reference=app/web:2.1' });
    expect(JSON.parse(history.body.toString()).history).toMatchObject([
      { digest: other.digest, by: 'push', user: 'bob', accept: 'all' },
    ]);
  });
});

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';
import { freePort, portIsOpen } from '../support/ports.ts';
import { run } from '../support/process.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { freshBytes } from './streaming-client.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Runs the program until it ends by itself, in a directory of its own. */
async function serve(cwd: string, ...args: string[]) {
  return run(process.execPath, [main, 'serve', '--listen', '127.0.0.1:0', '--admin', 'off', ...args], { cwd });
}

/** Puts a file in the place of a directory, in which a running manifix may still finish what it answered already. */
async function putInTheWay(path: string): Promise<void> {
  await eventually(`a file is in the place of ${path}`, async () => {
    await rm(path, { recursive: true, force: true, maxRetries: 10 });
    return writeFile(path, 'in the way').then(
      () => true,
      (error: NodeJS.ErrnoException) => (error.code === 'EISDIR' ? undefined : Promise.reject(error)),
    );
  });
}

describe('a wrong configuration', () => {
  it('ends the start with code 2 and every mistake, with its path and the nearest key; nothing is started', async () => {
    await using directory = await temporaryDirectory();
    const port = await freePort();
    const file = join(directory.path, 'wrong.yaml');
    await writeFile(
      file,
      [
        `listen: 127.0.0.1:${port}`,
        'cache: { dir: ./made-too-early, maxSice: 5GiB, tagTtl: soon }',
        'upstreams: { hub: { url: "ftp://example.test" } }',
        'endpoints: [{ name: default, upstream: hup }]',
        'fixes: { accept-shapes: on, html-200: maybe }',
      ].join('\n'),
    );
    const { code, stdout, stderr } = await run(process.execPath, [main, 'serve', '--config', file], {
      cwd: directory.path,
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    for (const mistake of [
      /^cache\.maxSice: unknown key; did you mean "maxSize"\?$/m,
      /^cache\.tagTtl: .*got "?soon"?$/m,
      /^upstreams\.hub\.url: .*/m,
      /^endpoints\[0\]\.upstream: .*hup.*/m,
      /^fixes\.accept-shapes: .*did you mean "accept-shape"\?$/m,
      /^fixes\.html-200: .*maybe.*/m,
    ]) {
      expect(stderr).toMatch(mistake);
    }
    expect(stderr).not.toContain('listening');
    expect(await readdir(directory.path)).toEqual(['wrong.yaml']);
    expect(await portIsOpen(port)).toBe(false);
  });
});

describe('a cache directory that cannot be used', () => {
  it('ends the start with one sentence that names it and the reason', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'file');
    await writeFile(file, 'not a directory');
    for (const path of [file, join(file, 'below')]) {
      const { code, stderr } = await serve(directory.path, '--upstream', 'http://127.0.0.1:1', '--cache-dir', path);
      expect(code).toBe(1);
      expect(stderr).toContain(path);
      expect(stderr).toMatch(/is not a directory/);
      expect(stderr).not.toMatch(/listening|\n\s+at /);
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    }
  });

  it('is one that another manifix has', async () => {
    await using manifix = await startManifix({ upstream: 'http://127.0.0.1:1' });
    await using directory = await temporaryDirectory();
    const { code, stderr } = await serve(
      directory.path,
      ...['--upstream', 'http://127.0.0.1:1', '--cache-dir', manifix.cacheDir],
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/in use by another manifix/);
    expect((await exchange(manifix.adminUrl, { target: '/healthz' })).status).toBe(200);
  });

  it('or an address that is taken ends the start as well', async () => {
    await using manifix = await startManifix({ upstream: 'http://127.0.0.1:1' });
    await using directory = await temporaryDirectory();
    const args = ['--upstream', 'http://127.0.0.1:1', '--cache-dir', join(directory.path, 'cache')];
    const { code, stderr } = await serve(directory.path, ...args, '--listen', manifix.host);
    expect(code).toBe(1);
    expect(stderr).toContain(manifix.host);
    expect(stderr).toContain('another program listens there already');
  });
});

describe('a cache directory that breaks later', () => {
  let registry: RegistryDouble;

  beforeAll(async () => {
    registry = await startRegistryDouble();
  });
  afterAll(() => registry.stop());

  it('makes readiness "degraded"; pulls and pushes go on, and all is well when it is mended', async () => {
    await using manifix = await startManifix({ upstream: registry.url });
    const readiness = async () => {
      const answer = await exchange(manifix.adminUrl, { target: '/readyz' });
      return { status: answer.status, state: JSON.parse(answer.body.toString()).status };
    };
    const pull = async () => {
      const bytes = freshBytes(100_000);
      const digest = registry.content.putBlob('app', bytes);
      const answer = await exchange(manifix.url, { target: `/v2/app/blobs/${digest}` });
      return answer.status === 200 && answer.body.equals(bytes);
    };
    const isReady = (state: string) =>
      eventually(`readiness is ${state}`, async () => {
        expect(await pull()).toBe(true);
        return (await readiness()).state === state || undefined;
      });
    expect(await readiness()).toEqual({ status: 200, state: 'ok' });
    expect(await pull()).toBe(true);

    const inside = join(manifix.cacheDir, 'v1');
    const broken = ['parts', 'blobs', 'manifests'].map((name) => join(inside, name));
    for (const path of broken) await putInTheWay(path);
    await isReady('degraded');
    const image = sampleImage('index');
    registry.content.addImage('app', '1', image);
    const manifest = await exchange(manifix.url, { target: '/v2/app/manifests/1' });
    expect([manifest.status, manifest.body]).toEqual([200, image.bytes]);
    expect((await exchange(manifix.url, { method: 'POST', target: '/v2/app/blobs/uploads/' })).status).toBe(202);
    expect((await exchange(manifix.adminUrl, { target: '/healthz' })).status).toBe(200);

    for (const path of broken) {
      await rm(path);
      await mkdir(path, { recursive: true });
    }
    await isReady('ok');
  });
});

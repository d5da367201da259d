import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { blobPath } from '../store/support/test-store.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { run } from '../support/process.ts';
import { startRegistryDouble } from '../support/registry-double.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { fromCache } from './answers.ts';
import { freshBytes } from './streaming-client.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const SIZE = 100_000;

const command = (...args: readonly string[]) => run(process.execPath, [main, 'cache', ...args]);

/** A manifix that has served one blob and one manifest of the repository app, from the cache by now. */
async function startStocked() {
  await using started = new AsyncDisposableStack();
  const registry = started.use(await startRegistryDouble());
  registry.content.addImage('app', 'latest', sampleImage('oci-amd64'));
  const bytes = freshBytes(SIZE);
  const digest = registry.content.putBlob('app', bytes);
  const manifix = started.use(await startManifix({ upstream: registry.url }));
  const pull = (target: string) => exchange(manifix.url, { target });
  await fromCache(() => pull(`/v2/app/blobs/${digest}`));
  await fromCache(() => pull('/v2/app/manifests/latest'));
  const everything = started.move();
  const dispose = () => everything.disposeAsync();
  return { registry, manifix, digest, pull, [Symbol.asyncDispose]: dispose };
}

async function post({ adminUrl }: Manifix, target: string, body: object) {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await exchange(adminUrl, { method: 'POST', target, headers, body: JSON.stringify(body) });
  return { status: answer.status, content: JSON.parse(answer.body.toString()) };
}

describe('the cache commands beside a running manifix', () => {
  it('show statistics, and send verify and purge to the one that runs', async () => {
    await using stocked = await startStocked();
    const { manifix } = stocked;
    const stats = await command('stats', '--cache-dir', manifix.cacheDir);
    expect(stats).toMatchObject({ code: 0, stderr: '' });
    expect(stats.stdout).toMatch(/^blobs +1 +97\.7 KiB$/m);
    expect(stats.stdout).toMatch(/^tags +1$/m);
    for (const args of [['verify'], ['purge', '--all']]) {
      const { code, stdout, stderr } = await command(...args, '--cache-dir', manifix.cacheDir);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(
        new RegExp(`in use by another manifix \\(process \\d+\\)\\. Ask that one: POST /cache/${args[0]} to its admin`),
      );
    }
  });

  it('have their counterparts on the admin listener', async () => {
    await using stocked = await startStocked();
    const { manifix, registry, pull, digest } = stocked;
    const stats = await exchange(manifix.adminUrl, { target: '/cache/stats' });
    expect(JSON.parse(stats.body.toString())).toMatchObject({ blobs: { count: 1, bytes: SIZE }, repositories: 1 });
    await writeFile(blobPath(manifix.cacheDir, digest), Buffer.alloc(SIZE));
    expect(await post(manifix, '/cache/verify', {})).toMatchObject({
      status: 200,
      content: { blobs: 1, damaged: 1, findings: [{ kind: 'blob', digest }] },
    });
    const before = registry.requests.length;
    await pull('/v2/app/manifests/latest');
    expect(registry.requests.length).toBe(before);
    expect(await post(manifix, '/cache/purge', { repository: 'default/app' })).toMatchObject({
      status: 200,
      content: { manifests: 1, tags: 1 },
    });
    const answer = await pull('/v2/app/manifests/latest');
    expect(answer.header('Cache-Status')).not.toBe('manifix; hit');
    expect(registry.requests.length).toBeGreaterThan(before);
  });
});

describe('the cache commands on a directory', () => {
  it('verify it, tell what is damaged, and purge it', async () => {
    await using stocked = await startStocked();
    const { manifix, digest } = stocked;
    await manifix.terminate();
    const place = ['--cache-dir', manifix.cacheDir] as const;
    expect(await command('verify', ...place)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^damaged +0$/m),
    });
    await writeFile(blobPath(manifix.cacheDir, digest), Buffer.alloc(SIZE));
    const verified = await command('verify', ...place, '--json');
    expect(verified).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(verified.stdout)).toMatchObject({ damaged: 1, findings: [{ kind: 'blob', digest }] });
    const rehearsed = await command('purge', '--repository', 'app', '--dry-run', ...place);
    expect(rehearsed).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^would be removed:\nblobs +0\nmanifests +1$/m),
    });
    const purged = await command('purge', '--repository', 'app', '--json', ...place);
    expect(JSON.parse(purged.stdout)).toMatchObject({ dryRun: false, manifests: 1, tags: 1 });
    const stats = await command('stats', '--json', ...place);
    expect(JSON.parse(stats.stdout)).toMatchObject({ manifests: { count: 0 }, quarantine: { count: 1, bytes: SIZE } });
  });

  it('find it by the configuration', async () => {
    await using directory = await temporaryDirectory();
    const config = join(directory.path, 'config.yaml');
    const cacheDir = join(directory.path, 'cache');
    await writeFile(config, `upstreams: { a: { url: http://127.0.0.1:1 } }\ncache: { dir: ${cacheDir} }\n`);
    const complaint = { code: 2, stdout: '', stderr: `manifix: There is no cache in ${cacheDir}.\n` };
    for (const action of [['stats'], ['verify'], ['purge', '--all']]) {
      expect(await command(...action, '--config', config)).toEqual(complaint);
    }
    await writeFile(config, 'cache: { dri: x }\n');
    expect(await command('stats', '--config', config)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cache.dri'),
    });
  });
});

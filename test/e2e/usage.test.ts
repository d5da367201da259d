import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { UsageLine, UsageReport } from '../../src/domain/usage.ts';
import { eventually } from '../support/deadline.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';
import { run } from '../support/process.ts';
import { pushImage } from '../support/push-image.ts';
import { startRegistryDouble } from '../support/registry-double.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { fromCache } from './answers.ts';
import { freshBytes } from './streaming-client.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const SIZE = 100_000;

const command = (...args: readonly string[]) => run(process.execPath, [main, 'usage', ...args]);

/** Two endpoints in front of one registry that has a blob in the repository app, and the configuration's file. */
async function startUsed() {
  await using started = new AsyncDisposableStack();
  const directory = started.use(await temporaryDirectory());
  const registry = started.use(await startRegistryDouble());
  const digest = registry.content.putBlob('app', freshBytes(SIZE));
  const file = join(directory.path, 'config.yaml');
  const configure = (more: object) =>
    writeFile(
      file,
      stringify({
        upstreams: { hub: { url: registry.url } },
        endpoints: [
          { name: 'plain', upstream: 'hub' },
          { name: 'team', upstream: 'hub', prefix: 'team' },
        ],
        ...more,
      }),
    );
  await configure({});
  const manifix = started.use(await startManifix({ args: ['--config', file] }));
  const everything = started.move();
  return {
    ...{ registry, manifix, digest, file, configure },
    blob: `/v2/team/app/blobs/${digest}`,
    pull: (target: string, method = 'GET') => exchange(manifix.url, { target, method }),
    /** What the running manifix tells. */
    async usage(query: string): Promise<UsageReport> {
      return JSON.parse((await exchange(manifix.adminUrl, { target: `/usage?${query}` })).body.toString());
    },
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

const lineOf = ({ lines }: UsageReport, name: string): UsageLine | undefined =>
  lines.find((line) => line.endpoint === 'team' && line.name === name);

describe('usage', () => {
  it('tells what was sent, what the cache saved and what the registry was asked, also for answers that are given again', async () => {
    await using used = await startUsed();
    let asked = 0;
    const pull = () => {
      asked += 1;
      return used.pull(used.blob);
    };
    await fromCache(pull);
    for (let count = 0; count < 20; count += 1) await pull();
    const line = await eventually('all requests are counted', async () => {
      const found = lineOf(await used.usage('by=repository'), 'app');
      return found?.requests === asked ? found : undefined;
    });
    expect(line.bytes).toBe(asked * SIZE);
    expect(line.hits).toBeGreaterThanOrEqual(21);
    expect(line.savedBytes).toBe(line.hits * SIZE);
    expect(line.upstreamBytes).toBeGreaterThanOrEqual(SIZE);
    expect(line.upstreamBytes).toBeLessThan(3 * SIZE);
    const toRegistry = used.registry.requests.filter(({ path }) => path.startsWith('/v2/app/'));
    expect(line.upstreamRequests).toBe(toRegistry.length);
  });

  it('books what is not served on no repository', async () => {
    await using used = await startUsed();
    for (let count = 0; count < 5; count += 1) await used.pull(`/v2/team/made-up-${count}/manifests/1`);
    const report = await used.usage('by=repository&endpoint=team');
    expect(report.lines).toMatchObject([{ endpoint: 'team', name: '', requests: 5, upstreamRequests: 5 }]);
  });

  it('counts pushes with what they sent', async () => {
    await using used = await startUsed();
    const image = sampleImage('oci-amd64');
    await pushImage(used.manifix.url, 'team/pushed', '1', image);
    const sent = image.bytes.length + image.blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const line = lineOf(await used.usage('by=repository'), 'pushed');
    expect(line).toMatchObject({ requests: image.blobs.length * 2 + 1, hits: 0, upstreamBytes: sent });
  });

  it('is told by the command: of the running manifix at once, of its directory after it ended', async () => {
    await using used = await startUsed();
    const { manifix, pull, blob } = used;
    await fromCache(() => pull(blob));
    const admin = new URL(manifix.adminUrl).host;
    const table = await command('--admin', admin);
    expect(table).toMatchObject({ code: 0, stderr: '' });
    expect(table.stdout).toMatch(
      /^\S+ to \S+, days in UTC\n\nendpoint +day +requests +sent .*\nteam +\d{4}-\d\d-\d\d .*█\n/,
    );
    const running = await command('--admin', admin, '--by', 'repository', '--json');
    expect(await manifix.terminate()).toEqual({ code: 0, signal: null });
    const directory = ['--cache-dir', manifix.cacheDir, '--by', 'repository'];
    const ended = await command(...directory, '--json');
    expect(JSON.parse(ended.stdout)).toEqual(JSON.parse(running.stdout));
    const { stdout } = await command(...directory, '--csv', '--endpoint', 'team');
    const [head, line] = stdout.trimEnd().split('\r\n');
    expect(head).toBe('endpoint,repository,requests,bytes,hits,saved_bytes,upstream_requests,upstream_bytes');
    expect(line).toMatch(/^team,app,\d+,\d+,\d+,\d+,\d+,\d+$/);
    const gone = await command('--admin', admin);
    expect(gone).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('no manifix answers') });
  });

  it('is read from the directory of a configuration whose manifix does not run, or has no admin listener', async () => {
    await using used = await startUsed();
    await used.pull('/v2/team/app/tags/list');
    await used.manifix.terminate();
    const cache = { dir: used.manifix.cacheDir };
    for (const admin of ['127.0.0.1:1', 'off']) {
      await used.configure({ cache, admin: { listen: admin } });
      const { code, stdout } = await command('--config', used.file, '--by', 'repository', '--json');
      expect({ code, line: lineOf(JSON.parse(stdout), 'app') }).toMatchObject({ code: 0, line: { requests: 1 } });
    }
    await writeFile(used.file, 'usage: { keep: long }');
    expect(await command('--config', used.file)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('usage.keep: expected a time'),
    });
  });

  it('goes on with its day after kill -9, without what was counted in the last seconds', async () => {
    await using used = await startUsed();
    await used.pull('/v2/team/app/tags/list');
    // The report writes what was counted.
    const before = await used.usage('by=repository');
    await used.manifix.kill9();
    await used.manifix.restart();
    await used.pull('/v2/team/app/tags/list');
    const after = await used.usage('by=repository');
    expect(lineOf(before, 'app')?.requests).toBe(1);
    expect(lineOf(after, 'app')?.requests).toBe(2);
  });

  it('says what is wrong with a question', async () => {
    await using used = await startUsed();
    for (const query of ['since=yesterday', 'by=week', 'since=2026-02-30']) {
      const answer = await exchange(used.manifix.adminUrl, { target: `/usage?${query}` });
      expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([
        400,
        { error: expect.stringMatching(/expected/) },
      ]);
    }
    expect(await command('--since', 'yesterday')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--since: expected a time such as 12h or 7d'),
    });
  });
});

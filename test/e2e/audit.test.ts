import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { eventually } from '../support/deadline.ts';
import { exchange } from '../support/http.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';
import { run } from '../support/process.ts';
import { pushImage } from '../support/push-image.ts';
import { startRegistryDouble } from '../support/registry-double.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const image = sampleImage('oci-amd64');
const PASSWORD = 'Basic Ym9iOnMzY3IzdC1wYXNzd29yZA==';
const json = { 'Content-Type': 'application/json' };

/** A manifix before a registry, with an endpoint that serves all but one repository, and its audit log. */
async function startAudited() {
  await using started = new AsyncDisposableStack();
  const directory = started.use(await temporaryDirectory());
  const registry = started.use(await startRegistryDouble());
  const configuration = join(directory.path, 'config.yaml');
  const configure = (more: object) =>
    writeFile(
      configuration,
      stringify({
        upstreams: { hub: { url: registry.url } },
        endpoints: [{ name: 'team', upstream: 'hub', prefix: 'team', repositories: { deny: ['secret'] } }],
        ...more,
      }),
    );
  const file = (name: string) => join(directory.path, name);
  await configure({ audit: { file: file('audit.jsonl') } });
  const manifix = started.use(await startManifix({ args: ['--config', configuration] }));
  const everything = started.move();
  return {
    ...{ registry, manifix, file, configure },
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
    lines: async (name = 'audit.jsonl'): Promise<readonly Record<string, unknown>[]> =>
      (await readFile(file(name), 'utf8'))
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
  };
}

describe('the audit log of a running manifix', () => {
  it('tells of pushes, deletes, derived manifests, denials and purges, with who asked, from where, and the request', async () => {
    await using audited = await startAudited();
    const { manifix, registry } = audited;
    const index = sampleImage('index-nomt');
    registry.content.addImage('app', 'index', index);
    await pushImage(manifix.url, 'team/app', '1.2', image);
    const headers = { Accept: manifestTypes.join(', ') };
    const pulled = await exchange(manifix.url, { target: '/v2/team/app/manifests/index', headers });
    for (let count = 0; count < 3; count += 1) {
      const denied = await exchange(manifix.url, {
        target: '/v2/team/secret/manifests/1',
        headers: { Authorization: PASSWORD },
      });
      expect(denied.status).toBe(404);
    }
    const target = `/v2/team/app/manifests/${image.digest}`;
    expect((await exchange(manifix.url, { method: 'DELETE', target })).status).toBe(202);
    const body = JSON.stringify({ repository: 'hub/app' });
    await exchange(manifix.adminUrl, { method: 'POST', target: '/cache/purge', headers: json, body });
    expect(await manifix.terminate()).toEqual({ code: 0, signal: null });

    const here = { endpoint: 'team', upstream: 'hub', client: '127.0.0.1', repository: 'app' };
    const lines = await audited.lines();
    expect(lines).toMatchObject([
      { ...here, event: 'push', outcome: 'done', reference: '1.2', digest: image.digest, status: 201 },
      {
        ...{ ...here, event: 'derived', outcome: 'done', reference: 'index' },
        digest: pulled.header('Docker-Content-Digest'),
        detail: { kind: 'media-type-added', original: index.digest },
      },
      {
        event: 'denied',
        endpoint: 'team',
        repository: 'secret',
        reference: '1',
        status: 404,
        detail: { action: 'pull' },
      },
      { ...here, event: 'delete', outcome: 'done', reference: image.digest, status: 202 },
      { event: 'purge', outcome: 'done', client: '127.0.0.1', repository: 'hub/app', detail: { by: 'repository' } },
      { event: 'denied', repository: 'secret', count: 2 },
    ]);
    const logged = manifix
      .output()
      .split('\n')
      .find((line) => line.includes(`"${lines[0]?.requestId}"`));
    expect(JSON.parse(logged ?? '{}')).toMatchObject({
      method: 'PUT',
      path: '/v2/team/app/manifests/1.2',
      status: 201,
    });
    expect(JSON.stringify(lines)).not.toMatch(/Ym9i|s3cr3t/);
  });

  it('goes on in another file after a reload, and stays when that cannot be opened', async () => {
    await using audited = await startAudited();
    const { manifix, file } = audited;
    const push = (tag: string) => pushImage(manifix.url, 'team/app', tag, image);
    const references = async (name: string) => (await audited.lines(name)).map(({ reference }) => reference);
    await push('1');
    await audited.configure({ audit: { file: file('other.jsonl') } });
    manifix.signal('SIGHUP');
    await manifix.outputMatches(/^reload: done$/m);
    expect(await references('audit.jsonl')).toEqual(['1']);
    await audited.configure({ audit: { file: file('other.jsonl/below') } });
    manifix.signal('SIGHUP');
    await manifix.outputMatches(/^reload: cannot use .*other\.jsonl/m);
    await push('2');
    await eventually('the line', async () => (await references('other.jsonl')).includes('2') || undefined);
  });

  it('on a full disk lets requests go on, says so once, and has every line when there is room again', async () => {
    await using audited = await startAudited();
    const { manifix, file } = audited;
    await rm(file('audit.jsonl'));
    await symlink('/dev/full', file('audit.jsonl'));
    for (const tag of ['1', '2', '3']) await pushImage(manifix.url, 'team/app', tag, image);
    await manifix.outputMatches(/"file":"[^"]*audit\.jsonl"[^\n]*the audit log cannot be written/);
    await rm(file('audit.jsonl'));
    await manifix.outputMatches(/the audit log is written again/);
    expect((await audited.lines()).map(({ reference }) => reference)).toEqual(['1', '2', '3']);
    expect(manifix.output().match(/the audit log cannot be written/g)).toHaveLength(1);
    const metrics = await exchange(manifix.adminUrl, { target: '/metrics' });
    expect(metrics.body.toString()).toMatch(/^manifix_audit_lost_total 0$/m);
  });

  it('tells of a purge by command, too, when no manifix runs', async () => {
    await using audited = await startAudited();
    await audited.manifix.terminate();
    const { code } = await run(
      process.execPath,
      [main, 'cache', 'purge', '--all', '--config', audited.file('config.yaml')],
      {
        env: { MANIFIX_CACHE_DIR: audited.manifix.cacheDir },
      },
    );
    expect(code).toBe(0);
    expect(await audited.lines()).toMatchObject([
      { event: 'purge', outcome: 'done', client: 'local', detail: { by: 'all', blobs: 0, failed: 0 } },
    ]);
  });

  it('keeps manifix from starting when it cannot be opened, with the reason', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'file'), '');
    const env = { MANIFIX_AUDIT_FILE: join(directory.path, 'file', 'audit.jsonl') };
    await expect(startManifix({ upstream: 'http://127.0.0.1:1', env })).rejects.toThrow(
      /manifix: cannot use .*file: (?:something else is in its place|a part of the path is not a directory)/,
    );
  });
});

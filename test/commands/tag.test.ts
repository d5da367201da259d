import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { CommandOutcome } from '../../src/commands/outcome.ts';
import { runTagCommand } from '../../src/commands/tag.ts';
import { parseCommandLine } from '../../src/config/command-line.ts';
import { loadConfig } from '../../src/config/load.ts';
import { FIXES } from '../../src/fixes/index.ts';
import { exchange } from '../support/http.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';
import { startRegistryDouble } from '../support/registry-double.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { someDigest } from '../support/views.ts';

const [first, second] = [sampleImage('oci-amd64'), sampleImage('docker-amd64')];

let running = new AsyncDisposableStack();
afterEach(async () => {
  await running.disposeAsync();
  running = new AsyncDisposableStack();
});

/** What a tag command would say. */
async function command(...args: readonly string[]): Promise<CommandOutcome> {
  const line = parseCommandLine(['tag', ...args]);
  if (line.command === 'wrong') return { exitCode: 2, complaint: line.text };
  if (line.command !== 'tag') throw new Error(`read as ${line.command}`);
  const { request } = line;
  return runTagCommand(request, async () => loadConfig({ flags: request.place, env: {}, fixes: FIXES }));
}

/** A manifix that has seen `first` and then `second` under one tag. */
async function startStocked() {
  const registry = running.use(await startRegistryDouble());
  const directory = running.use(await temporaryDirectory());
  const audit = join(directory.path, 'audit.log');
  const manifix = running.use(
    await startManifix({
      config: {
        cache: { tagTtl: '0s' },
        audit: { file: audit },
        upstreams: { hub: { url: registry.url } },
        endpoints: [{ name: 'default' }, { name: 'team', prefix: 'mirror' }],
      },
    }),
  );
  const pull = async (name = 'team/app:latest') => {
    const [repository, tag] = name.split(':');
    const target = `/v2/${repository}/manifests/${tag}`;
    const answer = await exchange(manifix.url, { target, headers: { Accept: manifestTypes.join(', ') } });
    return { digest: answer.header('Docker-Content-Digest'), policy: answer.header('Manifix-Policy') };
  };
  for (const image of [first, second]) {
    registry.content.addImage('team/app', 'latest', image);
    await pull();
  }
  return { registry, manifix, pull, audit, at: ['--admin', new URL(manifix.adminUrl).host] };
}

/** The events of pins in the audit log. */
async function pinEvents(file: string) {
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  const events = lines.map((line) => JSON.parse(line));
  return events.map(({ event, outcome, client, repository, reference, digest }) => {
    return { event, outcome, client, what: `${repository}:${reference}`, digest };
  });
}

describe('the tag commands with a running manifix', () => {
  it('show what a tag meant', async () => {
    const { at } = await startStocked();
    const told = await command('history', 'team/app:latest', ...at);
    const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ';
    expect(told.text).toMatch(
      new RegExp(
        `^team/app:latest\n  team/app of upstream hub, endpoint default\n\n` +
          `first seen +last confirmed +how +digest\n` +
          `${time}  ${time}  pulled  ${second.digest}\n${time}  ${time}  pulled  ${first.digest}$`,
      ),
    );
    const json = JSON.parse((await command('history', 'mirror/team/app:latest', '--json', ...at)).text ?? '');
    expect(json).toMatchObject({ endpoint: 'team', upstream: 'hub', repository: 'team/app', tag: 'latest', pin: null });
    expect(json.history.map(({ digest }: { digest: string }) => digest)).toEqual([second.digest, first.digest]);
    expect((await command('history', 'team/other:latest', ...at)).text).toContain('not seen yet');
  });

  it('roll a tag back at once, for all endpoints and beyond a restart, until it is unpinned', async () => {
    const { at, pull, manifix, audit } = await startStocked();
    await Promise.all([pull(), pull()]);
    expect(await command('rollback', 'team/app:latest', ...at)).toMatchObject({
      exitCode: 0,
      text: expect.stringMatching(`pinned to ${first.digest} since [^ ]+: rolled back from ${second.digest}`),
    });
    const pinned = { digest: first.digest, policy: 'pin' };
    expect(await pull()).toEqual(pinned);
    expect(await pull('mirror/team/app:latest')).toEqual(pinned);
    expect((await command('rollback', 'team/app:latest', ...at)).complaint).toContain('nothing is known');
    await manifix.restart();
    expect(await pull()).toEqual(pinned);
    expect(await command('unpin', 'team/app:latest', ...at)).toMatchObject({ exitCode: 0 });
    expect(await pull()).toEqual({ digest: second.digest, policy: undefined });
    expect((await command('unpin', 'team/app:latest', ...at)).complaint).toBe('manifix: team/app:latest is not pinned');
    await manifix.terminate();
    const common = { outcome: 'done', client: '127.0.0.1', what: 'team/app:latest' };
    expect(await pinEvents(audit)).toEqual([
      { event: 'rollback', ...common, digest: first.digest },
      { event: 'unpin', ...common },
    ]);
  });

  it('pin a tag to a digest, to what it means now, or to one of its history', async () => {
    const { at, pull, registry } = await startStocked();
    await command('pin', 'team/app:latest', 'current', '--note', 'until the audit is over', ...at);
    registry.content.addImage('team/app', 'latest', first);
    expect(await pull()).toEqual({ digest: second.digest, policy: 'pin' });
    expect((await command('history', 'team/app:latest', ...at)).text).toContain(': until the audit is over');
    await command('rollback', 'team/app:latest', '--to', first.digest, ...at);
    expect(await pull()).toEqual({ digest: first.digest, policy: 'pin' });
    await command('pin', 'team/app:latest', second.digest, ...at);
    expect(await pull()).toEqual({ digest: second.digest, policy: 'pin' });
  });

  it.each([
    [['pin', 'team/app:latest', 'sha256:12'], '"sha256:12" is no digest'],
    [['pin', 'team/other:latest', 'current'], 'manifix has not seen team/other:latest yet'],
    [['rollback', 'team/other:latest'], 'manifix has not seen team/other:latest yet'],
    [['rollback', 'team/app:latest', '--to', someDigest], `${someDigest} is not in the history`],
    [['history', `team/app@${someDigest}`], 'names a digest, which never means anything else'],
    [['history', 'a b'], 'neither an image reference'],
    [['pin', 'team/app:latest', 'current', '--note', 'x'.repeat(501)], 'a note has at most 500 signs'],
  ])('say what is wrong with %j', async (args, complaint) => {
    const { at } = await startStocked();
    expect(await command(...args, ...at)).toMatchObject({ exitCode: 2, complaint: expect.stringContaining(complaint) });
  });
});

describe('the tag commands without a running manifix', () => {
  it('work on the directory of the configuration, and its pins count from the next start on', async () => {
    const { manifix, registry, pull } = await startStocked();
    const directory = running.use(await temporaryDirectory());
    const config = join(directory.path, 'config.yaml');
    const pins = [{ repository: 'team/*', tag: 'stable', digest: someDigest }];
    const written = {
      cache: { dir: manifix.cacheDir },
      admin: { listen: 'off' },
      upstreams: { hub: { url: registry.url } },
      endpoints: [{ content: { pins } }],
    };
    await writeFile(config, stringify(written));
    const at = ['--config', config];
    expect((await command('history', 'team/app:latest', ...at)).complaint).toContain('Name its admin listener');
    await manifix.terminate();
    expect((await command('rollback', 'team/app:latest', ...at)).exitCode).toBe(0);
    expect((await command('history', 'team/app:stable', ...at)).text).toContain(`${someDigest} by the configuration`);
    expect((await command('unpin', 'team/app:stable', ...at)).complaint).toContain(
      'content.pins of the endpoint default',
    );
    await manifix.restart();
    expect(await pull()).toEqual({ digest: first.digest, policy: 'pin' });
  });

  it('say that there is none', async () => {
    const directory = running.use(await temporaryDirectory());
    const config = join(directory.path, 'config.yaml');
    const dir = join(directory.path, 'cache');
    await writeFile(config, stringify({ cache: { dir }, upstreams: { hub: { url: 'http://127.0.0.1:9' } } }));
    expect(await command('history', 'a:1', '--config', config)).toMatchObject({ exitCode: 2 });
    expect(await command('history', 'a:1', '--admin', '127.0.0.1:9')).toMatchObject({ exitCode: 1 });
    expect(await command('history', 'a:1', '--config', join(directory.path, 'no.yaml'))).toMatchObject({ exitCode: 2 });
  });
});

describe('the arguments of the tag commands', () => {
  it.each([
    [['history'], 'REFERENCE is missing'],
    [['pin', 'a:1'], 'DIGEST|current is missing'],
    [['pin', 'a:1', 'current', 'more'], 'unexpected argument "more"'],
    [['unpin', 'a:1', 'b:1'], 'unexpected argument "b:1"'],
    [['history', 'a:1', '--admin', 'nowhere'], '--admin: expected HOST:PORT'],
  ])('%j is a mistake', async (args, complaint) => {
    expect(await command(...args)).toMatchObject({ exitCode: 2, complaint: expect.stringContaining(complaint) });
  });
});

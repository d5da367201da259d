import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { CommandOutcome } from '../../src/commands/outcome.ts';
import { runTokenCommand } from '../../src/commands/token.ts';
import { parseCommandLine } from '../../src/config/command-line.ts';
import { loadConfig } from '../../src/config/load.ts';
import { FIXES } from '../../src/fixes/index.ts';
import { eventually } from '../support/deadline.ts';
import { startManifix } from '../support/manifix.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

const TOKEN = /^mfx_[0-9A-Za-z]{38}$/;

let directory: TemporaryDirectory;

/** A configuration whose endpoint `team` takes tokens, and `open` does not. */
const configuration = (cacheDir: string, audit: string) => ({
  cache: { dir: cacheDir },
  audit: { file: audit },
  upstreams: { hub: { url: 'http://127.0.0.1:9', credentials: 'none' } },
  endpoints: [
    { name: 'team', auth: { tokens: true } },
    { name: 'open', prefix: 'open' },
  ],
});

/** What a token command would say. */
async function command(...args: readonly string[]): Promise<CommandOutcome> {
  const line = parseCommandLine(['token', ...args]);
  if (line.command === 'wrong') return { exitCode: 2, complaint: line.text };
  if (line.command !== 'token') throw new Error(`read as ${line.command}`);
  const { request } = line;
  return runTokenCommand(request, async () => loadConfig({ flags: request.place, env: {}, fixes: FIXES }));
}

beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

describe('the token commands', () => {
  it('work on the directory of a configuration', async () => {
    const config = join(directory.path, 'config.yaml');
    const audit = join(directory.path, 'audit.log');
    await writeFile(config, stringify(configuration(join(directory.path, 'cache'), audit)));
    const at = ['--config', config];

    expect(await command('list', ...at)).toEqual({ exitCode: 0, text: 'there are no tokens' });
    const made = await command('new', '--user', 'bob', '--endpoint', 'team', '--note', 'nightly builds', ...at);
    expect(made).toMatchObject({ exitCode: 0, text: expect.stringMatching(TOKEN) });
    const id = /^token ([0-9a-f]{10}) of bob, for team, until \d{4}-\d\d-\d\d; it is shown this once only$/.exec(
      made.complaint ?? '',
    )?.[1];
    expect(id).toBeDefined();
    const list = await command('list', ...at);
    expect(list.text).toMatch(new RegExp(`^${id} +bob +team +[\\d-]+ +until [\\d-]+ +nightly builds$`, 'm'));
    expect(list.text).not.toContain('mfx_');

    const other = JSON.parse((await command('new', '--user', 'ann', '--expires', 'never', '--json', ...at)).text ?? '');
    expect(other).toMatchObject({ token: expect.stringMatching(/^mfx_/), user: 'ann', note: '' });
    expect(await command('revoke', String(id), ...at)).toMatchObject({ exitCode: 0, text: `revoked ${id}` });
    expect(await command('revoke', String(id), ...at)).toMatchObject({
      exitCode: 1,
      complaint: `manifix: there is no token ${id}`,
    });
    expect(JSON.parse((await command('list', '--json', ...at)).text ?? '').tokens).toEqual([
      { id: other.id, user: 'ann', note: '', createdAt: other.createdAt },
    ]);

    const events = (await readFile(audit, 'utf8')).trim().split('\n');
    expect(events.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'token-new', outcome: 'done', client: 'local', detail: { id, user: 'bob', endpoints: 'team' } },
      { event: 'token-new', detail: { id: other.id, user: 'ann', endpoints: 'all', ends: 'never' } },
      { event: 'token-revoke', outcome: 'done', detail: { id, user: 'bob' } },
    ]);
    expect(events.join()).not.toContain('mfx_');
  });

  it('say what is wrong with a wish', async () => {
    const config = join(directory.path, 'config.yaml');
    const wrong = async (...args: readonly string[]) => {
      const { exitCode, complaint = '' } = await command('new', ...args, '--config', config);
      return [exitCode, complaint.split('\n')[0]];
    };
    expect(await wrong()).toEqual([2, 'manifix: --user NAME is missing: whose token shall it be?']);
    expect(await wrong('--user', 'a:b')).toEqual([2, expect.stringContaining('--user: expected a name')]);
    expect(await wrong('--user', 'bob', '--endpoint', 'taem')).toEqual([
      2,
      'manifix: unknown endpoint "taem"; did you mean "team"?',
    ]);
    expect(await wrong('--user', 'bob', '--endpoint', 'open')).toEqual([
      2,
      'manifix: the endpoint "open" takes no tokens: set its auth.tokens',
    ]);
  });

  it('go to the manifix that runs on the directory', async () => {
    const audit = join(directory.path, 'running.log');
    await using manifix = await startManifix({ config: configuration('unused', audit) });
    const admin = ['--admin', new URL(manifix.adminUrl).host];
    const made = await command('new', '--user', 'bob', ...admin);
    expect(made).toMatchObject({ exitCode: 0, text: expect.stringMatching(TOKEN) });
    expect((await command('list', ...admin)).text).toMatch(/ bob +all endpoints /);
    expect(await command('revoke', 'ffff', ...admin)).toMatchObject({
      exitCode: 1,
      complaint: 'manifix: there is no token ffff',
    });
    expect(await command('new', '--user', 'bob', '--endpoint', 'open', ...admin)).toMatchObject({ exitCode: 2 });
    const alone = await command('list', '--cache-dir', manifix.cacheDir);
    expect(alone).toMatchObject({
      exitCode: 2,
      complaint: expect.stringContaining('Name its admin listener with --admin.'),
    });
    const isWritten = async () => (await readFile(audit, 'utf8')).includes('"client":"127.0.0.1"');
    await eventually('the client in the audit log', async () => (await isWritten()) || undefined);
  });
});

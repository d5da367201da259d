import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { run } from '../support/process.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const manifix = (args: readonly string[], cwd = root) =>
  run(process.execPath, [join(root, 'src/main.ts'), ...args], { cwd });

describe('the program', () => {
  it('shows its commands, and the flags of one', async () => {
    expect(await manifix(['--help'])).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('check') });
    expect(await manifix(['serve', '--help'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('--cache-dir DIR'),
    });
  });

  it.each([
    ['second-question-mark', '# second-question-mark\n'],
    ['fixes', '# Fixes and rules\n'],
    ['tools', '# Tools\n'],
  ])('prints the page %s from wherever it is called', async (page, start) => {
    const { code, stdout, stderr } = await manifix(['help', page], '/');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.startsWith(start)).toBe(true);
  });

  it('says which page or command a mistyped one is', async () => {
    for (const [word = '', meant] of [
      ['second-questionmark', '; did you mean "second-question-mark"?'],
      ['serv', '; did you mean "serve"?'],
      ['../README', ''],
    ]) {
      const { code, stdout, stderr } = await manifix(['help', word]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toBe(`manifix: no command or page "${word}"${meant}\nusage: manifix help [COMMAND | PAGE]\n`);
    }
  });

  it('shows its version', async () => {
    expect(await manifix(['version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  it.each([[['sevre']], [['serve', '--lisen', 'x']], [['check', 'x']]])('exits with 2 on %j', async (args) => {
    const { code, stdout, stderr } = await manifix(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^manifix: .+\nusage: manifix .+\n$/);
  });

  it('runs through the command of the package', async () => {
    const { code, stdout } = await run(process.execPath, [join(root, 'bin/manifix.js'), 'help'], { cwd: root });
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('usage: manifix') });
  });
});

describe('check', () => {
  it('says what a valid file does, and exits with 0', async () => {
    const { code, stdout, stderr } = await manifix(['check', '--config', 'config.yaml']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^config\.yaml: valid\n/);
    expect(stdout).toContain('endpoint default: all other requests -> hub (https://registry-1.docker.io, dockerhub)');
  });

  it('prints the profile of an endpoint and what it sets', async () => {
    await using directory = await temporaryDirectory();
    const file = 'upstreams: { hub: { url: "https://a.example" } }\nendpoints: [{ profile: strict }]\n';
    await writeFile(join(directory.path, 'config.yaml'), file);
    const { stdout } = await manifix(['check'], directory.path);
    expect(stdout).toMatch(/^ {4}profile strict: .+\n(?: {4}.+\n)* {4}index-without-mediatype: off\n/m);
  });

  it('says it of a thousand endpoints to the last one, also into a pipe', async () => {
    await using directory = await temporaryDirectory();
    const endpoints = Array.from(
      { length: 1000 },
      (_, at) => `  - { name: e${at}, prefix: team/e${at}, ns: [r${at}.test] }`,
    );
    const file = `upstreams: { hub: { url: "https://a.example" } }\nendpoints:\n${endpoints.join('\n')}\n`;
    await writeFile(join(directory.path, 'config.yaml'), file);
    const { code, stdout } = await manifix(['check'], directory.path);
    expect([code, stdout.match(/^ {2}endpoint /gm)?.length]).toEqual([0, 1000]);
    expect(stdout).toContain('endpoint e999: prefix team/e999/, ns r999.test -> hub');
  });

  it('answers whether somebody may do something, and warns of rules that never decide', async () => {
    await using directory = await temporaryDirectory();
    const file = `
upstreams: { hub: { url: "https://a.example", credentials: none } }
endpoints:
  - auth: { tokens: true }
    rights:
      - { who: [bob], allow: [pull] }
      - { who: [bob], allow: [pull], repositories: [app] }
`;
    await writeFile(join(directory.path, 'config.yaml'), file);
    expect(await manifix(['check', '--can', 'bob', 'push', 'app'], directory.path)).toMatchObject({
      code: 1,
      stdout: 'no: no rule of endpoints[0].rights matches\n',
    });
    expect(await manifix(['check'], directory.path)).toMatchObject({
      code: 0,
      stderr: 'warning: endpoints[0].rights[1]: can never decide: endpoints[0].rights[0] decides before it\n',
    });
  });

  it('tells every mistake on standard error, and exits with 2', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'config.yaml'), 'lisen: a:1\ncache: { maxSize: 5 }\n');
    for (const args of [['check'], ['check', '--config', 'config.yaml'], ['serve']]) {
      const { code, stdout, stderr } = await manifix(args, directory.path);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr.trimEnd().split('\n')).toEqual([
        'cache.maxSize: expected a size such as 64MiB or 50GiB, got 5',
        'lisen: unknown key; did you mean "listen"?',
        expect.stringMatching(/^upstreams: required: /),
      ]);
    }
  });

  it('needs a file, which serve does not when it is told of the upstream otherwise', async () => {
    await using directory = await temporaryDirectory();
    const check = await manifix(['check'], directory.path);
    expect(check).toMatchObject({ code: 2, stderr: 'config.yaml: no such file or directory\n' });
    const serve = await manifix(['serve'], directory.path);
    expect(serve.code).toBe(2);
    expect(serve.stderr).toMatch(
      /^config\.yaml: not in this directory; --config names another file, --upstream a registry\n/,
    );
  });
});

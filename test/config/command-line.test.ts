import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/config/command-line.ts';

const CHOOSE_ONE = 'choose one: a digest, a repository, an age, or all';

describe('parseCommandLine', () => {
  it.each([
    [[], { command: 'serve', flags: {} }],
    [['serve'], { command: 'serve', flags: {} }],
    [['--config', 'a.yaml'], { command: 'serve', flags: { config: 'a.yaml' } }],
    [['serve', '--config=a.yaml'], { command: 'serve', flags: { config: 'a.yaml' } }],
    [
      ['serve', '--upstream', 'http://a', '--listen=[::1]:0', '--cache-dir', '/c', '--admin', 'off'],
      { command: 'serve', flags: { upstream: 'http://a', listen: '[::1]:0', cacheDir: '/c', admin: 'off' } },
    ],
    [['--listen', 'a:1', '--listen', 'b:2'], { command: 'serve', flags: { listen: 'b:2' } }],
    [['serve', '--config=-odd'], { command: 'serve', flags: { config: '-odd' } }],
    [['check', '--config', 'a.yaml'], { command: 'check', flags: { config: 'a.yaml' } }],
    [
      ['check', '--can', 'bob', 'push', 'team-a/app'],
      {
        command: 'check',
        flags: {},
        can: { user: 'bob', action: 'push', repository: 'team-a/app', host: '', groups: [], claims: {} },
      },
    ],
    [
      [
        'check',
        '--can=everybody',
        'pull',
        'app',
        '--group',
        'a',
        '--group',
        'ci:b',
        '--claim',
        'ci:ref=x=y',
        '--host',
        'h',
      ],
      {
        command: 'check',
        flags: {},
        can: { action: 'pull', repository: 'app', host: 'h', groups: ['a', 'ci:b'], claims: { 'ci:ref': 'x=y' } },
      },
    ],
    [
      ['cache', 'stats', '--cache-dir', '/c', '--json'],
      { command: 'cache', request: { place: { cacheDir: '/c' }, json: true, work: { action: 'stats' } } },
    ],
    [
      ['cache', 'verify', '--config', 'a.yaml'],
      { command: 'cache', request: { place: { config: 'a.yaml' }, json: false, work: { action: 'verify' } } },
    ],
    [
      ['explain', '--json', 'app:1', '--as=crane', '--admin', 'a:1'],
      {
        command: 'ask',
        request: { place: { admin: 'a:1' }, json: true, work: { action: 'explain', reference: 'app:1', as: 'crane' } },
      },
    ],
    [
      ['resolve', '--', 'app:1'],
      { command: 'ask', request: { place: {}, json: false, work: { action: 'resolve', reference: 'app:1' } } },
    ],
    [
      ['report', '--top', '5'],
      { command: 'ask', request: { place: {}, json: false, work: { action: 'report', top: 5 } } },
    ],
    [
      ['drill', '--since', '7d', '--fill', '--listen', 'a:1'],
      {
        command: 'ask',
        request: { place: {}, json: false, work: { action: 'drill', since: '7d', fill: { listen: 'a:1' } } },
      },
    ],
    [
      ['usage', '--since', '2026-11-01', '--by=user', '--endpoint', 'team', '--admin', 'a:1', '--csv'],
      {
        command: 'usage',
        request: {
          place: { admin: 'a:1' },
          question: { since: Date.UTC(2026, 10, 1) / 86_400_000, endpoint: 'team', by: 'user' },
          form: 'csv',
        },
      },
    ],
    [
      ['warm', 'a:1', 'b', '--platform', 'linux/amd64', '--platform', 'linux/arm/v7', '--listen', 'a:1'],
      {
        command: 'warm',
        request: {
          place: {},
          listen: 'a:1',
          references: ['a:1', 'b'],
          platforms: ['linux/amd64', 'linux/arm/v7'],
          json: false,
        },
      },
    ],
    [
      ['warm'],
      { command: 'warm', request: { place: {}, listen: undefined, references: [], platforms: [], json: false } },
    ],
    [
      ['repair', 'app:1', '--dry-run', '--config', 'a.yaml'],
      {
        command: 'repair',
        request: { place: { config: 'a.yaml' }, reference: 'app:1', dryRun: true, force: false },
      },
    ],
    [['selftest', '--json'], { command: 'selftest', request: { place: {}, json: true } }],
    [['demo'], { command: 'demo' }],
    [['version'], { command: 'version' }],
    [['--version'], { command: 'version' }],
  ])('reads %j', (args, expected) => {
    expect(parseCommandLine(args)).toEqual(expected);
  });

  it.each([
    [['--digest', `sha256:${'0'.repeat(64)}`], { by: 'digest', digest: `sha256:${'0'.repeat(64)}` }],
    [['--repository', 'hub/library/alpine'], { by: 'repository', name: 'hub/library/alpine' }],
    [['--older-than', '30d'], { by: 'age', unusedFor: 2_592_000_000 }],
    [['--all'], { by: 'all' }],
  ])('reads what cache purge %j means', (flags, selection) => {
    for (const dryRun of [false, true]) {
      const args = ['cache', 'purge', ...flags, ...(dryRun ? ['--dry-run'] : [])];
      const request = { place: {}, json: false, work: { action: 'purge', selection, dryRun } };
      expect(parseCommandLine(args)).toEqual({ command: 'cache', request });
    }
  });

  it.each([[['cache', '--help']], [['help', 'cache']]])('answers %j with the commands of the cache', (args) => {
    const text = expect.stringMatching(/^usage: manifix \[cache stats \| .*\n\n {2}cache stats {3}\S(?!.*serve)/s);
    expect(parseCommandLine(args)).toMatchObject({ command: 'help', text });
  });

  it.each([[['--help']], [['-h']], [['help']]])('answers %j with the commands', (args) => {
    const line = parseCommandLine(args);
    expect(line).toMatchObject({ command: 'help', text: expect.stringMatching(/^usage: manifix \[serve \| check/) });
    expect(line).toMatchObject({ text: expect.stringMatching(/^ {2}demo {10}\S/m) });
  });

  it.each([[['serve', '--help']], [['help', 'serve']], [['serve', '--listen', 'a:1', '-h']]])(
    'answers %j with the flags of the command',
    (args) => {
      const line = parseCommandLine(args);
      expect(line).toMatchObject({
        command: 'help',
        text: expect.stringMatching(/^usage: manifix serve \[--config FILE\]/),
      });
      expect(line).toMatchObject({ text: expect.stringMatching(/^ {2}--listen HOST:PORT {2}\S/m) });
    },
  );

  it.each([
    [['chek'], 'manifix: unknown command "chek"; did you mean "check"?', 'usage: manifix ['],
    [['zebra'], 'manifix: unknown command "zebra"', 'usage: manifix ['],
    [['help', 'serv', 'x'], 'manifix: unknown command "serv"; did you mean "serve"?', 'usage: manifix help [COMMAND'],
    [['help', 'serve', 'x'], 'manifix: unexpected argument "x"', 'usage: manifix help'],
    [['--lisen', 'a:1'], 'manifix: unknown flag "--lisen"; did you mean "--listen"?', 'usage: manifix serve'],
    [['serve', '--upstrem=x'], 'manifix: unknown flag "--upstrem"; did you mean "--upstream"?', 'usage: manifix serve'],
    [['serve', '-c', 'x'], 'manifix: unknown flag "-c"', 'usage: manifix serve'],
    [['check', '--listen', 'a:1'], 'manifix: unknown flag "--listen"', 'usage: manifix check [ACTION'],
    [['check', 'x'], 'manifix: unexpected argument "x"', 'usage: manifix check [ACTION'],
    [['check', '--can', 'bob'], 'manifix: --can needs a user, an action and a repository', 'usage: manifix check'],
    [['check', '--can', 'bob', 'push', 'a', 'b'], 'manifix: unexpected argument "b"', 'usage: manifix check'],
    [
      ['check', '--can', 'bob', 'pul', 'a'],
      'manifix: unknown action "pul"; did you mean "pull"?',
      'usage: manifix check',
    ],
    [['check', '--can', 'bob', 'pull', 'A'], 'manifix: "A" is not a repository name', 'usage: manifix check'],
    [
      ['check', '--can', 'b', 'pull', 'a', '--claim', 'x'],
      'manifix: --claim looks like ci:ref=refs/heads/main',
      'usage: manifix check',
    ],
    [['cache'], 'manifix: what shall be done? cache stats, cache verify, cache purge', 'usage: manifix [cache stats |'],
    [['cache', 'stat'], 'manifix: unknown command "cache stat"; did you mean "cache stats"?', 'usage: manifix [cache'],
    [['help', 'cache', 'x'], 'manifix: unknown command "cache x"', 'usage: manifix help'],
    [['cache', 'stats', '--all'], 'manifix: unknown flag "--all"', 'usage: manifix cache stats [--config FILE]'],
    [['cache', 'stats', '--json=yes'], 'manifix: --json takes no value', 'usage: manifix cache stats'],
    [['cache', 'purge'], `manifix: ${CHOOSE_ONE}`, 'usage: manifix cache purge [--digest DIGEST]'],
    [['cache', 'purge', '--all', '--repository', 'a'], `manifix: ${CHOOSE_ONE}`, 'usage: manifix cache purge'],
    [['cache', 'purge', '--digest', 'sha256:0'], 'manifix: "sha256:0" is not a digest', 'usage: manifix cache purge'],
    [
      ['cache', 'purge', '--repository', 'A'],
      'manifix: "A" is not the name of a repository',
      'usage: manifix cache purge',
    ],
    [
      ['cache', 'purge', '--older-than', '30'],
      'manifix: --older-than: expected a time such as 12h or 30d, got "30"',
      'usage: manifix cache purge',
    ],
    [['demo', '--config', 'x'], 'manifix: unknown flag "--config"', 'usage: manifix demo'],
    [['explain'], 'manifix: REFERENCE is missing', 'usage: manifix explain REFERENCE [--as CLIENT]'],
    [['resolve', 'a', 'b'], 'manifix: unexpected argument "b"', 'usage: manifix resolve REFERENCE [--config FILE]'],
    [['explain', 'a', '--admin', 'b'], 'manifix: --admin: expected HOST:PORT, got "b"', 'usage: manifix explain'],
    [
      ['explain', 'a', '--as', 'cran'],
      'manifix: --as: expected curl, containerd, dockerd, skopeo, crane, got "cran"; did you mean "crane"?',
      'usage: manifix explain',
    ],
    [
      ['warm', '--platform', 'arm'],
      'manifix: --platform: expected a platform such as linux/arm64, got "arm"',
      'usage: manifix warm [REFERENCE...]',
    ],
    [['report', '--top', '0'], 'manifix: --top: expected a number from 1 to 1000, got "0"', 'usage: manifix report'],
    [
      ['drill', '--since', 'x'],
      'manifix: --since: expected a time such as 12h or 30d, got "x"',
      'usage: manifix drill',
    ],
    [
      ['usage', '--since', '30'],
      'manifix: --since: expected a time such as 12h or 7d, or a day such as 2026-11-27 (UTC), got "30"',
      'usage: manifix usage',
    ],
    [
      ['usage', '--by', 'users'],
      'manifix: --by: expected day, repository, user, got "users"; did you mean "user"?',
      'usage: manifix usage',
    ],
    [['usage', '--json', '--csv'], 'manifix: choose one of --json and --csv', 'usage: manifix usage'],
    [
      ['usage', '--admin', 'a:1', '--cache-dir', '/c'],
      'manifix: name a running manifix with --admin, or a directory with --cache-dir',
      'usage: manifix usage',
    ],
    [['serve', 'x'], 'manifix: unexpected argument "x"', 'usage: manifix serve'],
    [['serve', '--', 'x'], 'manifix: unexpected argument "x"', 'usage: manifix serve'],
    [['serve', '--listen'], 'manifix: --listen needs a value', 'usage: manifix serve'],
    [['serve', '--listen='], 'manifix: --listen needs a value', 'usage: manifix serve'],
    [['serve', '--listen', '--admin', 'off'], 'manifix: --listen needs a value', 'usage: manifix serve'],
  ])('refuses %j with the nearest right word and a usage line', (args, mistake, usage) => {
    const line = parseCommandLine(args);
    const [first = '', second = '', ...more] = line.command === 'wrong' ? line.text.split('\n') : [];
    expect(first).toBe(mistake);
    expect(second.startsWith(usage)).toBe(true);
    expect(more).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/config/command-line.ts';

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
    [['demo'], { command: 'demo' }],
    [['version'], { command: 'version' }],
    [['--version'], { command: 'version' }],
  ])('reads %j', (args, expected) => {
    expect(parseCommandLine(args)).toEqual(expected);
  });

  it.each([[['--help']], [['-h']], [['help']]])('answers %j with the commands', (args) => {
    const line = parseCommandLine(args);
    expect(line).toMatchObject({ command: 'help', text: expect.stringMatching(/^usage: manifix \[serve \| check/) });
    expect(line).toMatchObject({ text: expect.stringMatching(/^ {2}demo {5}\S/m) });
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
    [['help', 'serv'], 'manifix: unknown command "serv"; did you mean "serve"?', 'usage: manifix help [COMMAND]'],
    [['help', 'serve', 'x'], 'manifix: unexpected argument "x"', 'usage: manifix help'],
    [['--lisen', 'a:1'], 'manifix: unknown flag "--lisen"; did you mean "--listen"?', 'usage: manifix serve'],
    [['serve', '--upstrem=x'], 'manifix: unknown flag "--upstrem"; did you mean "--upstream"?', 'usage: manifix serve'],
    [['serve', '-c', 'x'], 'manifix: unknown flag "-c"', 'usage: manifix serve'],
    [['check', '--listen', 'a:1'], 'manifix: unknown flag "--listen"', 'usage: manifix check [--config FILE]'],
    [['demo', '--config', 'x'], 'manifix: unknown flag "--config"', 'usage: manifix demo'],
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

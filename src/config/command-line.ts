import { parseArgs } from 'node:util';
import { didYouMean } from '../lib/nearest.ts';
import type { ConfigFlags } from './load.ts';

interface Flag {
  readonly name: string;
  readonly value: string;
  readonly meaning: string;
}

interface Command {
  readonly summary: string;
  readonly flags: readonly Flag[];
}

const CONFIG: Flag = { name: 'config', value: 'FILE', meaning: 'read this file instead of ./config.yaml' };

/** The commands and their flags, as the help and the reference list them. */
export const COMMANDS = {
  serve: {
    summary: 'run the proxy; the command when none is given',
    flags: [
      CONFIG,
      { name: 'upstream', value: 'URL', meaning: 'the registry; without --config no file is read' },
      { name: 'listen', value: 'HOST:PORT', meaning: 'where clients connect' },
      { name: 'cache-dir', value: 'DIR', meaning: 'the directory of the cache' },
      { name: 'admin', value: 'HOST:PORT', meaning: 'where health and metrics are served, or off' },
    ],
  },
  check: { summary: 'validate a configuration: exit 0, or 2 with every mistake', flags: [CONFIG] },
  demo: { summary: 'show the repairs against a broken registry that it starts itself', flags: [] },
  help: { summary: 'show this help, or that of a command', flags: [] },
  version: { summary: 'show the version', flags: [] },
} as const satisfies Readonly<Record<string, Command>>;

type CommandName = keyof typeof COMMANDS;

/** What the command line asks for. `wrong` is a mistake with its usage line, to be shown before exit code 2. */
export type CommandLine =
  | { readonly command: 'serve' | 'check'; readonly flags: ConfigFlags }
  | { readonly command: 'demo' | 'version' }
  | { readonly command: 'help'; readonly text: string }
  | { readonly command: 'wrong'; readonly text: string };

/** Reads the arguments behind the program's name. Flags may stand in any order; of a repeated one the last counts. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const [first = ''] = args;
  const named = first !== '' && !first.startsWith('-');
  if (named && !isCommand(first)) {
    return wrong(`unknown command "${first}"${didYouMean(first, Object.keys(COMMANDS))}`);
  }
  const command = isCommand(first) ? first : 'serve';
  const rest = named ? args.slice(1) : args;
  if (rest.includes('--help') || rest.includes('-h'))
    return { command: 'help', text: helpText(named ? command : undefined) };
  if (!named && rest.includes('--version')) return { command: 'version' };
  if (command === 'help') return help(rest);
  const outcome = readFlags(command, rest);
  if ('mistake' in outcome) return wrong(outcome.mistake, command);
  return command === 'serve' || command === 'check' ? { command, flags: outcome.flags } : { command };
}

function help([topic, ...more]: readonly string[]): CommandLine {
  if (topic === undefined) return { command: 'help', text: helpText(undefined) };
  if (more.length > 0) return wrong(`unexpected argument "${more[0]}"`, 'help');
  if (isCommand(topic)) return { command: 'help', text: helpText(topic) };
  return wrong(`unknown command "${topic}"${didYouMean(topic, Object.keys(COMMANDS))}`, 'help');
}

function readFlags(command: CommandName, args: readonly string[]): { flags: ConfigFlags } | { mistake: string } {
  const known: readonly string[] = COMMANDS[command].flags.map((flag) => flag.name);
  const options = Object.fromEntries(known.map((name) => [name, { type: 'string' as const }]));
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const values = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === 'positional') return { mistake: `unexpected argument "${token.value}"` };
    if (token.kind === 'option-terminator') continue;
    if (!known.includes(token.name)) {
      return {
        mistake: `unknown flag "${token.rawName}"${didYouMean(
          token.rawName,
          known.map((name) => `--${name}`),
        )}`,
      };
    }
    const { value } = token;
    const missing = value === undefined || value === '' || (!token.inlineValue && value.startsWith('-'));
    if (missing) return { mistake: `${token.rawName} needs a value` };
    values.set(token.name, value);
  }
  const camelCase = [...values].map(([name, value]) => [name === 'cache-dir' ? 'cacheDir' : name, value] as const);
  return { flags: Object.fromEntries(camelCase) };
}

function isCommand(word: string): word is CommandName {
  return Object.hasOwn(COMMANDS, word);
}

function wrong(mistake: string, command?: CommandName): CommandLine {
  return { command: 'wrong', text: `manifix: ${mistake}\n${usage(command)}` };
}

function usage(command: CommandName | undefined): string {
  if (command === undefined) return `usage: manifix [${Object.keys(COMMANDS).join(' | ')}] [flags]`;
  const flags = COMMANDS[command].flags.map(({ name, value }) => ` [--${name} ${value}]`);
  return `usage: manifix ${command}${command === 'help' ? ' [COMMAND]' : flags.join('')}`;
}

function helpText(command: CommandName | undefined): string {
  if (command !== undefined) {
    const lines = COMMANDS[command].flags.map(({ name, value, meaning }) => [`--${name} ${value}`, meaning] as const);
    return [usage(command), '', COMMANDS[command].summary, ...columns(lines)].join('\n');
  }
  const commands = Object.entries(COMMANDS).map(([name, { summary }]) => [name, summary] as const);
  const closing = 'manifix COMMAND --help lists the flags of a command. docs/configuration.md explains the file.';
  return [usage(undefined), ...columns(commands), '', closing].join('\n');
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right], index) => `${index === 0 ? '\n' : ''}  ${left.padEnd(width)}${right}`);
}

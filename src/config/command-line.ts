import { parseArgs } from 'node:util';
import { tellable } from '../domain/image-reference.ts';
import { didYouMean } from '../lib/nearest.ts';
import { type AskRequest, readAskRequest } from './ask-request.ts';
import { type CacheRequest, readCacheRequest } from './cache-request.ts';
import { type CanRequest, readCanRequest } from './can-request.ts';
import {
  type Argument,
  argumentOf,
  COMMANDS,
  type CommandName,
  commandNames,
  commandsBelow,
  type Flag,
  isCommand,
} from './commands.ts';
import type { FlagValues } from './flags.ts';
import { helpText, usage } from './help.ts';
import type { ConfigFlags } from './load.ts';
import type { RepairRequest } from './repair-request.ts';
import { readTagRequest, type TagRequest } from './tag-request.ts';
import { readTokenRequest, type TokenRequest } from './token-request.ts';
import { readUsageRequest, type UsageRequest } from './usage-request.ts';
import { readWarmRequest, type WarmRequest } from './warm-request.ts';

/** Which configuration is tried, and how the outcome is told. */
export interface SelftestRequest {
  readonly place: Pick<ConfigFlags, 'config'>;
  readonly json: boolean;
}

/** What the command line asks for. `wrong` is a mistake with its usage line, to be shown before exit code 2. */
export type CommandLine =
  | { readonly command: 'serve'; readonly flags: ConfigFlags }
  | { readonly command: 'check'; readonly flags: ConfigFlags; readonly can?: CanRequest | undefined }
  | { readonly command: 'cache'; readonly request: CacheRequest }
  | { readonly command: 'ask'; readonly request: AskRequest }
  | { readonly command: 'repair'; readonly request: RepairRequest }
  | { readonly command: 'usage'; readonly request: UsageRequest }
  | { readonly command: 'warm'; readonly request: WarmRequest }
  | { readonly command: 'token'; readonly request: TokenRequest }
  | { readonly command: 'tag'; readonly request: TagRequest }
  | { readonly command: 'selftest'; readonly request: SelftestRequest }
  | { readonly command: 'demo' | 'version' }
  | { readonly command: 'help'; readonly text: string }
  | { readonly command: 'page'; readonly name: string }
  | { readonly command: 'wrong'; readonly text: string };

/** Reads the arguments behind the program's name. Flags may stand in any order; of a repeated one the last counts. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const [first = ''] = args;
  const named = first !== '' && !first.startsWith('-');
  const topic = named ? topicOf(args) : { command: 'serve' as const, words: 0 };
  if ('mistake' in topic) return wrong(topic.mistake, topic.usage);
  const rest = args.slice(topic.words);
  const command = topic.command;
  if (rest.includes('--help') || rest.includes('-h'))
    return { command: 'help', text: helpText(named ? command : undefined) };
  if (typeof command !== 'string') return wrong(`what shall be done? ${command.join(', ')}`, command);
  if (!named && rest.includes('--version')) return { command: 'version' };
  if (command === 'help') return help(rest);
  const outcome = readFlags(command, rest);
  if ('mistake' in outcome) return wrong(outcome.mistake, command);
  return interpret(command, outcome.values, outcome.positionals);
}

interface Topic {
  /** Several for the first word of a command that has two. */
  readonly command: CommandName | readonly CommandName[];
  readonly words: number;
}

interface UnknownTopic {
  readonly mistake: string;
  readonly usage: readonly CommandName[] | undefined;
}

/** The command that the arguments begin with. */
function topicOf([first = '', second = '']: readonly string[]): Topic | UnknownTopic {
  if (isCommand(first)) return { command: first, words: 1 };
  const below = commandsBelow(first);
  const both = `${first} ${second}`;
  if (isCommand(both)) return { command: both, words: 2 };
  if (below.length > 0 && (second === '' || second.startsWith('-'))) return { command: below, words: 1 };
  const written = below.length > 0 ? both : first;
  const words = below.length > 0 ? below : commandNames();
  return {
    mistake: `unknown command "${written}"${didYouMean(written, words)}`,
    usage: below.length > 0 ? below : undefined,
  };
}

function help(args: readonly string[]): CommandLine {
  if (args.length === 0) return { command: 'help', text: helpText(undefined) };
  const topic = topicOf(args);
  const [name = ''] = args;
  if ('mistake' in topic) return args.length === 1 ? { command: 'page', name } : wrong(topic.mistake, 'help');
  const more = args[topic.words];
  if (more !== undefined) return wrong(`unexpected argument "${more}"`, 'help');
  return { command: 'help', text: helpText(topic.command) };
}

function interpret(
  command: Exclude<CommandName, 'help'>,
  values: FlagValues,
  positionals: readonly string[],
): CommandLine {
  switch (command) {
    case 'serve':
      return { command, flags: configFlags(values) };
    case 'check': {
      const outcome = readCanRequest(values, positionals);
      if ('mistake' in outcome) return wrong(outcome.mistake, command);
      const config = values.get('config');
      return { command, flags: config === undefined ? {} : { config }, can: outcome.request };
    }
    case 'cache stats':
    case 'cache verify':
    case 'cache purge': {
      const outcome = readCacheRequest(CACHE_ACTIONS[command], values);
      return 'mistake' in outcome ? wrong(outcome.mistake, command) : { command: 'cache', request: outcome.request };
    }
    case 'explain':
    case 'resolve':
    case 'report':
    case 'drill': {
      const outcome = readAskRequest(command, values, positionals);
      return 'mistake' in outcome ? wrong(outcome.mistake, command) : { command: 'ask', request: outcome.request };
    }
    case 'repair': {
      const config = values.get('config');
      const place = config === undefined ? {} : { config };
      const [reference = ''] = positionals;
      return { command, request: { place, reference, dryRun: values.has('dry-run'), force: values.has('force') } };
    }
    case 'usage': {
      const outcome = readUsageRequest(values, Date.now());
      return 'mistake' in outcome ? wrong(outcome.mistake, command) : { command, request: outcome.request };
    }
    case 'warm': {
      const outcome = readWarmRequest(values, positionals);
      return 'mistake' in outcome ? wrong(outcome.mistake, command) : { command, request: outcome.request };
    }
    case 'token new':
    case 'token list':
    case 'token revoke': {
      const outcome = readTokenRequest(TOKEN_ACTIONS[command], values, positionals);
      return 'mistake' in outcome ? wrong(outcome.mistake, command) : { command: 'token', request: outcome.request };
    }
    case 'tag history':
    case 'tag pin':
    case 'tag unpin':
    case 'tag rollback': {
      const outcome = readTagRequest(TAG_ACTIONS[command], values, positionals);
      return 'mistake' in outcome ? wrong(outcome.mistake, command) : { command: 'tag', request: outcome.request };
    }
    case 'selftest':
      return { command, request: { place: configFlags(values), json: values.has('json') } };
    default:
      return { command };
  }
}

const CACHE_ACTIONS = { 'cache stats': 'stats', 'cache verify': 'verify', 'cache purge': 'purge' } as const;

const TAG_ACTIONS = {
  'tag history': 'history',
  'tag pin': 'pin',
  'tag unpin': 'unpin',
  'tag rollback': 'rollback',
} as const;

const TOKEN_ACTIONS = { 'token new': 'new', 'token list': 'list', 'token revoke': 'revoke' } as const;

/** The flags with a value; a switch says nothing about the configuration. */
function configFlags(values: FlagValues): ConfigFlags {
  const named = [...values].filter(([, value]) => value !== '');
  return Object.fromEntries(named.map(([name, value]) => [name === 'cache-dir' ? 'cacheDir' : name, value]));
}

interface Written {
  readonly values: FlagValues;
  readonly positionals: readonly string[];
}

function readFlags(command: CommandName, args: readonly string[]): Written | { readonly mistake: string } {
  const flags: readonly Flag[] = COMMANDS[command].flags;
  const options = Object.fromEntries(
    flags.map(({ name, value }) => [name, { type: value === undefined ? ('boolean' as const) : ('string' as const) }]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const positionals = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []));
  const values = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const flag = flags.find(({ name }) => name === token.name);
    if (flag === undefined) return { mistake: unknownFlag(token.rawName, flags) };
    const { value = '' } = token;
    if (flag.value === undefined) {
      if (token.value !== undefined) return { mistake: `${token.rawName} takes no value` };
    } else if (value === '' || (!token.inlineValue && value.startsWith('-'))) {
      return { mistake: `${token.rawName} needs a value` };
    }
    const earlier = flag.many === true ? values.get(token.name) : undefined;
    values.set(token.name, earlier === undefined ? value : `${earlier},${value}`);
  }
  const mistake = argumentMistake(argumentOf(command), positionals);
  return mistake === undefined ? { values, positionals } : { mistake };
}

function argumentMistake(argument: Argument | undefined, written: readonly string[]): string | undefined {
  if (argument !== undefined && argument.optional !== true && written.length === 0)
    return `${argument.name} is missing`;
  const second = argument?.second;
  if (second !== undefined && argument?.optional !== true && written.length === 1) return `${second} is missing`;
  const few = second === undefined ? 1 : 2;
  const most = argument === undefined ? 0 : argument.many === true ? Number.POSITIVE_INFINITY : few;
  const oneTooMany = written[most];
  return oneTooMany === undefined ? undefined : `unexpected argument "${tellable(oneTooMany)}"`;
}

function unknownFlag(written: string, flags: readonly Flag[]): string {
  const names = flags.map(({ name }) => `--${name}`);
  return `unknown flag "${written}"${didYouMean(written, names)}`;
}

function wrong(mistake: string, topic?: CommandName | readonly CommandName[]): CommandLine {
  return { command: 'wrong', text: `manifix: ${mistake}\n${usage(topic)}` };
}

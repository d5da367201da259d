import {
  type Argument,
  argumentOf,
  COMMANDS,
  type CommandName,
  commandNames,
  type Flag,
  formatFlag,
} from './commands.ts';

/** The help of one command, of several, or of all. */
export function helpText(topic: CommandName | readonly CommandName[] | undefined): string {
  if (typeof topic === 'string') {
    const flags: readonly Flag[] = COMMANDS[topic].flags;
    const lines = flags.map((flag) => [formatFlag(flag), flag.meaning] as const);
    return [usage(topic), '', COMMANDS[topic].summary, ...columns(lines)].join('\n');
  }
  const names = topic ?? commandNames();
  const commands = names.map((name) => [name, COMMANDS[name].summary] as const);
  const closing = [
    'manifix COMMAND --help lists the flags of a command. manifix help configuration explains the file,',
    'manifix help fixes lists the fixes, and manifix help FIX prints the page of one.',
  ];
  return [usage(topic), ...columns(commands), '', ...closing].join('\n');
}

/** The line that shows how a command is called. */
export function usage(topic: CommandName | readonly CommandName[] | undefined): string {
  if (typeof topic !== 'string') return `usage: manifix [${(topic ?? commandNames()).join(' | ')}] [flags]`;
  if (topic === 'help') return 'usage: manifix help [COMMAND | PAGE]';
  const argument = argumentOf(topic);
  const named = argument === undefined ? [] : [written(argument)];
  const flags: readonly Flag[] = COMMANDS[topic].flags;
  return `usage: manifix ${[topic, ...named, ...flags.map(writtenFlag)].join(' ')}`;
}

/** `--user NAME` or `[--note TEXT]` */
function writtenFlag(flag: Flag): string {
  return flag.required === true ? formatFlag(flag) : `[${formatFlag(flag)}]`;
}

/** `REFERENCE`, `REFERENCE DIGEST`, `[ACTION REPOSITORY]`, `REFERENCE...` or `[REFERENCE...]` */
function written({ name, many, optional, second }: Argument): string {
  const text = second !== undefined ? `${name} ${second}` : many === true ? `${name}...` : name;
  return optional === true ? `[${text}]` : text;
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right], index) => `${index === 0 ? '\n' : ''}  ${left.padEnd(width)}${right}`);
}

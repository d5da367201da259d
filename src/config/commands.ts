export interface Flag {
  readonly name: string;
  /** What the value is called; a flag without one is a switch. */
  readonly value?: string;
  readonly meaning: string;
  /** May be given several times; the values are joined with commas. */
  readonly many?: boolean;
  /** The command cannot do without it. */
  readonly required?: boolean;
}

/** What stands behind a command without dashes. */
export interface Argument {
  readonly name: string;
  /** Any number of them. */
  readonly many?: boolean;
  /** None is fine, too. */
  readonly optional?: boolean;
  /** The second one, where exactly two are needed. */
  readonly second?: string;
}

interface Command {
  readonly summary: string;
  readonly argument?: Argument;
  readonly flags: readonly Flag[];
}

const CONFIG: Flag = { name: 'config', value: 'FILE', meaning: 'read this file instead of ./config.yaml' };
const AS_JSON: Flag = { name: 'json', meaning: 'print one JSON object instead of a table' };
const ADMIN: Flag = {
  name: 'admin',
  value: 'HOST:PORT',
  meaning: 'the admin listener of a running manifix; without --config no file is read',
};

const CACHE_FLAGS: readonly Flag[] = [
  { name: 'config', value: 'FILE', meaning: 'the configuration that names the directory' },
  { name: 'cache-dir', value: 'DIR', meaning: 'the directory; without --config no file is read' },
  AS_JSON,
];

const ASK_FLAGS: readonly Flag[] = [
  { name: 'config', value: 'FILE', meaning: 'the configuration of the running manifix, instead of ./config.yaml' },
  { name: 'admin', value: 'HOST:PORT', meaning: 'its admin listener; without --config no file is read' },
  AS_JSON,
];

const TOKEN_FLAGS: readonly Flag[] = [
  { name: 'config', value: 'FILE', meaning: 'the configuration that names the directory and the admin listener' },
  ADMIN,
  {
    name: 'cache-dir',
    value: 'DIR',
    meaning: 'the directory, when no manifix runs on it; without --config no file is read',
  },
  { name: 'json', meaning: 'print one JSON object instead' },
];

const TAG_FLAGS: readonly Flag[] = [
  { name: 'config', value: 'FILE', meaning: 'the configuration, instead of ./config.yaml' },
  ADMIN,
  AS_JSON,
];

/** The commands and their flags, as the help and the reference list them. */
export const COMMANDS = {
  serve: {
    summary: 'run the proxy; the command when none is given',
    flags: [
      CONFIG,
      { name: 'upstream', value: 'URL', meaning: 'the registry; without --config no file is read' },
      { name: 'listen', value: 'HOST:PORT', meaning: 'where clients connect' },
      { name: 'cache-dir', value: 'DIR', meaning: 'the directory of the cache' },
      {
        name: 'admin',
        value: 'HOST:PORT',
        meaning: 'where operators connect (health, metrics, operations), or off',
      },
    ],
  },
  check: {
    summary: 'validate a configuration: exit 0, or 2 with every mistake; or say whether a user may do something',
    argument: { name: 'ACTION', second: 'REPOSITORY', optional: true },
    flags: [
      CONFIG,
      {
        name: 'can',
        value: 'USER',
        meaning: 'whether this user may pull, push, delete or list there, and by which rule: exit 0, or 1 for no',
      },
      { name: 'group', value: 'NAME', many: true, meaning: 'a group that the user is in, such as ci:dev' },
      { name: 'claim', value: 'ENTRY:CLAIM=VALUE', many: true, meaning: 'a claim of his token, such as ci:ref=main' },
      { name: 'host', value: 'HOST', meaning: 'the host that clients ask, where endpoints have one' },
    ],
  },
  'cache stats': { summary: 'show what the cache holds, also of a running manifix', flags: CACHE_FLAGS },
  'cache verify': {
    summary: 'hash all content and put what is damaged into quarantine: exit 0, or 1 when there was any',
    flags: CACHE_FLAGS,
  },
  'cache purge': {
    summary: 'take content out of the cache: by digest, by repository, by age, or all',
    flags: [
      { name: 'digest', value: 'DIGEST', meaning: 'this blob or manifest' },
      {
        name: 'repository',
        value: 'NAME',
        meaning: 'a repository, with or without its upstream in front: hub/library/alpine',
      },
      { name: 'older-than', value: 'TIME', meaning: 'what was not used for this long, such as 30d' },
      { name: 'all', meaning: 'everything but derived manifests' },
      { name: 'dry-run', meaning: 'only tell what would go' },
      ...CACHE_FLAGS,
    ],
  },
  explain: {
    summary: 'show what a registry answers, what manifix makes of it and why, for a reference or a URL',
    argument: { name: 'REFERENCE' },
    flags: [
      { name: 'as', value: 'CLIENT', meaning: 'ask only as curl, containerd, dockerd, skopeo or crane does' },
      ...ASK_FLAGS,
    ],
  },
  resolve: {
    summary: 'print the canonical and the derived digest of a tag or a digest',
    argument: { name: 'REFERENCE' },
    flags: ASK_FLAGS,
  },
  repair: {
    summary: 'push a manifest that lacks its mediaType, or has a wrong type, back to its registry under the same tag',
    argument: { name: 'REFERENCE' },
    flags: [
      { name: 'dry-run', meaning: 'only show what would be pushed' },
      { name: 'force', meaning: 'repair also what has signatures or referrers' },
      CONFIG,
    ],
  },
  report: {
    summary: 'list whose requests are repaired most, with the page that tells how to mend the cause',
    flags: [{ name: 'top', value: 'N', meaning: 'how many; 20 where not told' }, ...ASK_FLAGS],
  },
  usage: {
    summary: 'show what was used: requests, bytes, hits, what the cache saved and what registries were asked, by day',
    flags: [
      {
        name: 'since',
        value: 'TIME',
        meaning: 'how far back, such as 30d, or a day such as 2026-11-01; 7d where not told',
      },
      { name: 'endpoint', value: 'NAME', meaning: 'of this endpoint only' },
      { name: 'by', value: 'WHAT', meaning: 'day, repository or user; by day where not told' },
      { name: 'config', value: 'FILE', meaning: 'the configuration of manifix, instead of ./config.yaml' },
      { name: 'admin', value: 'HOST:PORT', meaning: 'its admin listener; without --config no file is read' },
      { name: 'cache-dir', value: 'DIR', meaning: 'the directory of its cache, without asking it' },
      AS_JSON,
      { name: 'csv', meaning: 'print lines of CSV instead of a table' },
    ],
  },
  warm: {
    summary: 'pull images into the cache of the running manifix; without names, those of the configuration',
    argument: { name: 'REFERENCE', many: true, optional: true },
    flags: [
      {
        name: 'platform',
        value: 'OS/ARCH',
        many: true,
        meaning: 'only the images of an index for this platform; may be repeated',
      },
      CONFIG,
      { name: 'listen', value: 'HOST:PORT', meaning: 'where its clients connect, instead of what the file says' },
      { name: 'json', meaning: 'print one JSON object instead of lines' },
    ],
  },
  drill: {
    summary: 'tell what was pulled and could not be pulled without the registries: exit 0, or 1 when there is any',
    flags: [
      { name: 'since', value: 'TIME', meaning: 'how far back pulls count; 30d where not told' },
      { name: 'fill', meaning: 'pull what is missing through manifix, and look again' },
      { name: 'listen', value: 'HOST:PORT', meaning: 'where its clients connect, for --fill' },
      ...ASK_FLAGS,
    ],
  },
  'token new': {
    summary: 'make a token for a user, and print it once',
    flags: [
      { name: 'user', value: 'NAME', required: true, meaning: 'whose token it is; required' },
      {
        name: 'endpoint',
        value: 'NAME',
        many: true,
        meaning: 'where it counts, without it everywhere; may be repeated',
      },
      { name: 'expires', value: 'TIME', meaning: 'how long it counts, such as 12h, or never; 90d where not told' },
      { name: 'note', value: 'TEXT', meaning: 'what it is for' },
      ...TOKEN_FLAGS,
    ],
  },
  'token list': { summary: 'list the tokens, without the tokens themselves', flags: TOKEN_FLAGS },
  'token revoke': {
    summary: 'end a token at once: exit 0, or 1 when there is none with that id',
    argument: { name: 'ID' },
    flags: TOKEN_FLAGS,
  },
  'tag history': {
    summary: 'show what a tag meant and when, and what it is pinned to',
    argument: { name: 'REFERENCE' },
    flags: TAG_FLAGS,
  },
  'tag pin': {
    summary: 'serve a tag with this digest, or with the one that it means now, whatever the registry says',
    argument: { name: 'REFERENCE', second: 'DIGEST|current' },
    flags: [{ name: 'note', value: 'TEXT', meaning: 'why' }, ...TAG_FLAGS],
  },
  'tag unpin': {
    summary: 'let the registry say again what a tag means',
    argument: { name: 'REFERENCE' },
    flags: TAG_FLAGS,
  },
  'tag rollback': {
    summary: 'pin a tag to what it meant before',
    argument: { name: 'REFERENCE' },
    flags: [{ name: 'to', value: 'DIGEST', meaning: 'another digest of its history' }, ...TAG_FLAGS],
  },
  selftest: {
    summary: 'replay the known bad cases with a configuration: exit 0, or 1 when a fix fails',
    flags: [CONFIG, AS_JSON],
  },
  demo: { summary: 'show the repairs against a broken registry that it starts itself', flags: [] },
  help: { summary: 'show this help, that of a command, or a page of docs and docs/fixes by its name', flags: [] },
  version: { summary: 'show the version', flags: [] },
} as const satisfies Readonly<Record<string, Command>>;

export type CommandName = keyof typeof COMMANDS;

/** `--config FILE` or `--all` */
export function formatFlag({ name, value }: Flag): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

/** The commands that begin with that word, such as those of `cache`; none when it is a command itself, or no word of ours. */
export function commandsBelow(word: string): readonly CommandName[] {
  return commandNames().filter((name) => name.startsWith(`${word} `));
}

export function isCommand(words: string): words is CommandName {
  return Object.hasOwn(COMMANDS, words);
}

export function commandNames(): readonly CommandName[] {
  return Object.keys(COMMANDS).filter(isCommand);
}

/** What stands behind this command without dashes; undefined for most. */
export function argumentOf(name: CommandName): Argument | undefined {
  const command: Command = COMMANDS[name];
  return command.argument;
}

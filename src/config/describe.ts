import type { Fix } from '../fixes/fix.ts';
import { profileTable } from '../fixes/profiles.ts';
import { COMMANDS, type Flag, formatFlag } from './commands.ts';
import { CREDENTIALS_VARIABLE } from './environment.ts';
import { listKeys } from './reference.ts';
import { configSchema } from './schema.ts';

/**
 * Writes docs/configuration.md from the schema, the flags and the options of the fixes. `example` is the text of the
 * commented configuration that closes it.
 */
export function describeConfiguration(fixes: readonly Fix[], example: string): string {
  const sections = [
    introduction(),
    keyTable(fixes),
    VALUES,
    ENVIRONMENT,
    flagTable(),
    fixSection(fixes),
    profileSection(),
  ];
  return `${[...sections, `## Example\n\n\`\`\`yaml\n${example.trim()}\n\`\`\``].join('\n\n')}\n`;
}

function introduction(): string {
  return `<!-- Written by \`npm run docs\` from src/config/schema.ts and config.yaml. -->

# Configuration

manifix reads one YAML file: \`./config.yaml\`, or the one that \`--config\` names. Environment variables override the
file, and flags override both. With \`--upstream\` and without \`--config\` no file is read at all, and the admin listener
starts only when \`--admin\` or \`MANIFIX_ADMIN_LISTEN\` asks for it, so that several such processes can run side by side.

The smallest file names a registry; everything else has a default:

\`\`\`yaml
upstreams:
  hub: { url: https://registry-1.docker.io, kind: dockerhub }
\`\`\`

\`manifix check --config FILE\` tells every mistake with its path and exits with 2, or exits with 0. A running manifix reads
its configuration again on SIGHUP. A file with mistakes changes nothing; they are told on standard error, and so are the
changed keys that take effect only after a restart.`;
}

function keyTable(fixes: readonly Fix[]): string {
  const rows = listKeys(configSchema(fixes)).map((entry) => [
    `\`${entry.key}\``,
    entry.type,
    entry.default === undefined ? '' : `\`${entry.default}\``,
    `\`${entry.variable}\``,
    entry.meaning,
  ]);
  return `## Keys\n\n${table(['Key', 'Type', 'Default', 'Environment variable', 'Meaning'], rows)}

\`<name>\` is a name of your choice, of lower-case letters and digits with \`.\`, \`_\` or \`-\` between them. \`endpoints\` is a
list; without it there is one endpoint, \`default\`, for the only upstream. No two endpoints have the same name, host, prefix
or namespace. A request is led by its \`ns=\`, then by its \`Host\`, then by the longest prefix that its repository begins
with; the endpoint without any of the three takes all other requests. Where each has some, it is the only one without
\`host\` and \`prefix\`. In patterns, \`*\` stands for any part of one component of a name, and \`**\` for any number of
components. [clients.md](clients.md) shows it with real clients.`;
}

const VALUES = `## Values

- A size is a number with a unit: \`B\`, \`KiB\`, \`MiB\`, \`GiB\` or \`TiB\`, as in \`64MiB\`.
- A time is a number with a unit: \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`, as in \`500ms\` or \`7d\`.
- HOST:PORT is a name or an address and a port; an IPv6 address stands in brackets, as in \`[::1]:5000\`.
- A key without a value counts as one that is not there.`;

const ENVIRONMENT = `## Environment

Every key can be set by a variable: its words in upper case, joined by \`_\` (\`cache.maxSize\` is
\`MANIFIX_CACHE_MAX_SIZE\`). \`<NAME>\` is the name of an upstream with \`_\` for other signs, \`<N>\` the position in a list
from 0, \`<FIX>\` the id of a fix, as in \`MANIFIX_FIXES_INDEX_WITHOUT_MEDIATYPE=off\`; an option of a fix follows its id. A
name that the file does not have is written with \`-\` for \`_\`: \`MANIFIX_UPSTREAMS_MY_HUB_URL\` makes the upstream
\`my-hub\`. Maps and lists are given as YAML or JSON, as in \`MANIFIX_TRUSTED_PROXIES='[10.0.0.0/8]'\`. An empty variable
counts as one that is not set; an unknown one that begins with \`MANIFIX_\` is a mistake. Only
\`${CREDENTIALS_VARIABLE}=name:password\` is no key: commands that ask as a client take their credentials from it
([tools.md](tools.md)).`;

function flagTable(): string {
  const rows = Object.entries(COMMANDS).flatMap(([command, { flags }]: [string, { flags: readonly Flag[] }]) =>
    flags.map((flag) => [`\`${command}\``, `\`${formatFlag(flag)}\``, flag.meaning]),
  );
  return `## Flags\n\n${table(['Command', 'Flag', 'Meaning'], rows)}

\`--upstream\` replaces the URL of the only upstream, or makes one named \`default\`. [operations.md](operations.md) shows the
\`cache\` commands at work.`;
}

function fixSection(fixes: readonly Fix[]): string {
  const rows = fixes.flatMap(({ id, options = {} }) =>
    Object.entries(options).map(([name, option]) => [
      `[${id}](fixes/${id}.md)`,
      `\`${name}\``,
      option.values.map((word) => `\`${word}\``).join(', '),
      `\`${option.default}\``,
      option.description,
    ]),
  );
  return `## Fixes

[fixes/README.md](fixes/README.md) lists all fixes with their ids and default modes. \`fixes\` sets their modes for all
endpoints, \`endpoints[].fixes\` for one: \`on\` repairs, \`observe\` counts and logs what it would have done, \`off\` does
nothing. What an endpoint leaves out it takes from the global setting, and that from the default. A fix that is \`auto\` in
the list is \`on\` and waits: it works from the moment on when the registry shows the defect, until ten minutes after the
last time.

\`\`\`yaml
fixes:
  etag-and-vary: off
  index-without-mediatype: { mode: observe, force: yes }
\`\`\`

${table(['Fix', 'Option', 'Values', 'Default', 'Meaning'], rows)}`;
}

function profileSection(): string {
  return `## Profiles

A profile is a named set of fix settings. \`endpoints[].profile\` chooses one; a single fix that is set in \`fixes\`, globally or
for the endpoint, overrides it: who names one fix means it more than who names a set. The order is endpoint, global,
profile, default.

${profileTable('fixes/')}
An endpoint that names no profile has \`default\`, or the one that the kind of its registry suggests: \`gitlab\` for the kind
\`gitlab\`. What a kind suggests only observes: it is counted and logged, and nothing that works today gets other bytes until
you write \`profile: gitlab\`. \`manifix check\` prints each endpoint's profile and every setting that is not the default.
Docker before 1.10, which reads nothing but schema 1, gets it under every profile:
[accept-missing-schema1](fixes/accept-missing-schema1.md).`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, header.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
}

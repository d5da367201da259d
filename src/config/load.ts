import type { Fix } from '../fixes/fix.ts';
import { readAuthentication } from './authentication.ts';
import { readIdentities } from './certificate.ts';
import type { Config } from './config.ts';
import { readCredentials } from './credentials.ts';
import { overlayEnvironment } from './environment.ts';
import { DEFAULT_FILE, type FileContent, readConfigFile } from './file.ts';
import { fixConflicts } from './fix-conflicts.ts';
import { describeIssues, formatMistake, type Mistake } from './mistakes.ts';
import { readProxies } from './proxies.ts';
import { relationMistakes } from './relations.ts';
import { resolveConfig } from './resolve.ts';
import { configSchema } from './schema.ts';
import type { Path } from './schema-keys.ts';
import { isMap, valueAt, withValueAt } from './written.ts';

/** The flags of the command line that say something about the configuration. */
export interface ConfigFlags {
  readonly config?: string;
  readonly upstream?: string;
  readonly listen?: string;
  readonly cacheDir?: string;
  readonly admin?: string;
}

export interface ConfigSource {
  readonly flags: ConfigFlags;
  readonly env: NodeJS.ProcessEnv;
  readonly fixes: readonly Fix[];
}

/** A configuration to run with, or every mistake in it as a line `path: message`. */
export type ConfigResult = { readonly config: Config } | { readonly mistakes: readonly string[] };

const NO_FILE = `${DEFAULT_FILE}: not in this directory; --config names another file, --upstream a registry`;

/**
 * Reads the file, lays the environment over it and the flags over both, and checks the whole. With an upstream flag and no
 * config flag no file is read, and nothing listens for administrators unless asked to: several may then run side by side.
 */
export function loadConfig({ flags, env, fixes }: ConfigSource): ConfigResult {
  const alone = flags.upstream !== undefined && flags.config === undefined;
  const file: FileContent = alone ? { written: { admin: { listen: 'off' } } } : readConfigFile(flags.config);
  if ('mistakes' in file) return file;
  const schema = configSchema(fixes);
  const overlay = overlayEnvironment(schema, file.written, env);
  const flagged = overlayFlags(overlay.written, flags);
  const sources = new Map([...overlay.sources, ...flagged.sources]);
  const checked = schema.safeParse(flagged.written);
  const all = isMap(flagged.written) ? flagged.written : {};
  const found: readonly Mistake[] = [
    ...describeIssues(checked.error?.issues ?? [], schema, flagged.written),
    ...relationMistakes(all),
    ...fixConflicts(all, fixes),
  ];
  const mistakes = [
    ...(file.absent && valueAt(flagged.written, ['upstreams']) === undefined ? [NO_FILE] : []),
    ...overlay.mistakes,
    ...flagged.mistakes,
    ...found.map((mistake) => formatMistake(mistake, sources)),
  ];
  if (mistakes.length > 0 || !checked.success) return { mistakes };
  const credentials = readCredentials(checked.data.upstreams, env);
  const identities = readIdentities(checked.data.upstreams);
  const authentication = readAuthentication(checked.data.endpoints);
  const proxies = readProxies(checked.data.upstreams, env);
  if ('mistakes' in credentials || 'mistakes' in identities || 'mistakes' in authentication || 'mistakes' in proxies) {
    const inFiles = [credentials, identities, authentication, proxies].flatMap((outcome) =>
      'mistakes' in outcome ? outcome.mistakes : [],
    );
    return { mistakes: inFiles.map((mistake) => formatMistake(mistake, sources)) };
  }
  const read = {
    credentials: credentials.read,
    identities: identities.read,
    authentication: authentication.read,
    proxies: proxies.read,
  };
  return { config: resolveConfig(checked.data, read, fixes) };
}

function overlayFlags(below: unknown, flags: ConfigFlags) {
  const upstreams = valueAt(below, ['upstreams']);
  const names = isMap(upstreams) ? Object.keys(upstreams) : [];
  const places: readonly (readonly [string, string | undefined, Path])[] = [
    ['--listen', flags.listen, ['listen']],
    ['--admin', flags.admin, ['admin', 'listen']],
    ['--cache-dir', flags.cacheDir, ['cache', 'dir']],
    ['--upstream', names.length > 1 ? undefined : flags.upstream, ['upstreams', names[0] ?? 'default', 'url']],
  ];
  const sources = new Map<string, string>();
  let written = below;
  for (const [flag, value, path] of places) {
    if (value === undefined) continue;
    written = withValueAt(written, path, value);
    sources.set(path.join('.'), flag);
  }
  const unclear = flags.upstream !== undefined && names.length > 1;
  const mistakes = unclear ? [`--upstream: which of the upstreams ${names.join(', ')} it replaces is not clear`] : [];
  return { written, sources, mistakes };
}

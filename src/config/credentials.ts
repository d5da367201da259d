import type { UpstreamCredentials } from '../domain/credentials.ts';
import { lookUpDockerConfig } from './docker-config.ts';
import type { Mistake } from './mistakes.ts';
import type { WrittenCredentials } from './schema-credentials.ts';
import { readSecretFile } from './secret-file.ts';

interface WrittenUpstream {
  readonly url?: string | undefined;
  readonly urls?: readonly string[] | undefined;
  readonly credentials: WrittenCredentials;
}

type Outcome = { readonly credentials: UpstreamCredentials } | { readonly key: string; readonly wrong: string };

/** The credentials of all upstreams, with the secrets of files and of the environment, or what is wrong with them. */
export function readCredentials(
  upstreams: Readonly<Record<string, WrittenUpstream>>,
  env: NodeJS.ProcessEnv,
): { readonly read: ReadonlyMap<string, UpstreamCredentials> } | { readonly mistakes: readonly Mistake[] } {
  const read = new Map<string, UpstreamCredentials>();
  const mistakes: Mistake[] = [];
  for (const [name, upstream] of Object.entries(upstreams)) {
    const outcome = readOne(upstream, env);
    if ('credentials' in outcome) read.set(name, outcome.credentials);
    else {
      const path = ['upstreams', name, 'credentials', ...(outcome.key === '' ? [] : [outcome.key])];
      mistakes.push({ path, message: outcome.wrong });
    }
  }
  return mistakes.length > 0 ? { mistakes } : { read };
}

function readOne({ url, urls = [], credentials }: WrittenUpstream, env: NodeJS.ProcessEnv): Outcome {
  const { mode, dockerConfig, username, password, passwordFile, passwordEnv } = credentials;
  const ways = { password, passwordFile, passwordEnv };
  const given = Object.entries(ways).filter(([, value]) => value !== undefined);
  const forms = [mode, dockerConfig, given[0]?.[1] ?? username].filter((form) => form !== undefined);
  if (forms.length !== 1) {
    return { key: '', wrong: 'one of none, passthrough, a username with its password, or a dockerConfig; not several' };
  }
  if (mode !== undefined) return { credentials: { kind: mode } };
  if (dockerConfig !== undefined) return fromDockerConfig(dockerConfig, url ?? urls[0] ?? '');
  if (username === undefined) return { key: 'username', wrong: 'required, because there is a password' };
  if (given.length !== 1) {
    const wrong = given.length === 0 ? 'needs one of' : 'takes only one of';
    return { key: '', wrong: `${wrong} password, passwordFile and passwordEnv` };
  }
  const secret = readPassword(ways, env);
  return 'wrong' in secret ? secret : { credentials: { kind: 'login', username, password: secret.text } };
}

/** A password from where it is said to be. */
export function readPassword(
  { password, passwordFile, passwordEnv }: Pick<WrittenCredentials, 'password' | 'passwordFile' | 'passwordEnv'>,
  env: NodeJS.ProcessEnv,
): { readonly text: string } | { readonly key: string; readonly wrong: string } {
  if (password !== undefined) return { text: password };
  if (passwordEnv !== undefined) {
    const text = env[passwordEnv] ?? '';
    return text === '' ? { key: 'passwordEnv', wrong: `the environment has no ${passwordEnv}` } : { text };
  }
  const file = readSecretFile(passwordFile ?? '');
  if ('wrong' in file) return { key: 'passwordFile', wrong: file.wrong };
  // Editors and `echo` end a file with a line break that belongs to no password.
  const text = file.text.replace(/\r?\n$/, '');
  return text === '' ? { key: 'passwordFile', wrong: `${passwordFile} is empty` } : { text };
}

function fromDockerConfig(path: string, url: string): Outcome {
  const file = readSecretFile(path);
  if ('wrong' in file) return { key: 'dockerConfig', wrong: file.wrong };
  const found = lookUpDockerConfig(file.text, url);
  return 'wrong' in found ? { key: 'dockerConfig', wrong: `${path} ${found.wrong}` } : { credentials: found };
}

import type { HttpProxy } from '../domain/http-proxy.ts';
import { readPassword } from './credentials.ts';
import type { Mistake } from './mistakes.ts';
import type { WrittenProxy } from './schema-proxy.ts';

/** The proxies of all upstreams, with the secrets of files and of the environment, or what is wrong with them. */
export function readProxies(
  upstreams: Readonly<Record<string, { readonly proxy?: WrittenProxy }>>,
  env: NodeJS.ProcessEnv,
): { readonly read: ReadonlyMap<string, HttpProxy> } | { readonly mistakes: readonly Mistake[] } {
  const read = new Map<string, HttpProxy>();
  const mistakes: Mistake[] = [];
  for (const [name, { proxy }] of Object.entries(upstreams)) {
    if (proxy === undefined) continue;
    const outcome = readOne(proxy, env);
    if ('wrong' in outcome)
      mistakes.push({ path: ['upstreams', name, 'proxy', ...outcome.key], message: outcome.wrong });
    else read.set(name, outcome);
  }
  return mistakes.length > 0 ? { mistakes } : { read };
}

function readOne(
  { url: written, username, ...ways }: NonNullable<WrittenProxy>,
  env: NodeJS.ProcessEnv,
): HttpProxy | { readonly key: readonly string[]; readonly wrong: string } {
  const url = new URL(written);
  const name = username ?? decodeURIComponent(url.username);
  const given = Object.values(ways).filter((way) => way !== undefined).length + (url.password === '' ? 0 : 1);
  if (username !== undefined && url.username !== '')
    return { key: ['username'], wrong: 'the url has a user name already' };
  if (name === '' && given === 0) return { origin: url.origin };
  if (name === '') return { key: ['username'], wrong: 'required, because there is a password' };
  if (given !== 1) {
    const wrong = given === 0 ? 'needs one of' : 'takes only one of';
    return { key: [], wrong: `${wrong} password, passwordFile, passwordEnv and a password in its url` };
  }
  const secret = url.password === '' ? readPassword(ways, env) : { text: decodeURIComponent(url.password) };
  if ('wrong' in secret) return { key: [secret.key], wrong: secret.wrong };
  return { origin: url.origin, login: { username: name, password: secret.text } };
}

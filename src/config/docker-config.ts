import type { UpstreamCredentials } from '../domain/credentials.ts';
import { isMap, type WrittenMap } from './written.ts';

/** docker knows the Docker Hub by the URL of its former index. */
const HUB_KEY = 'https://index.docker.io/v1/';
const HUB_HOSTS = new Set(['registry-1.docker.io', 'index.docker.io', 'docker.io']);
const HELPER_NAME = /^[A-Za-z0-9][\w.-]*$/;

type Found = UpstreamCredentials | { readonly wrong: string };

/**
 * Finds what docker itself would use for a registry in the text of its `config.json`: the helper of this registry, else the helper
 * for all, else the entry of `auths`. `wrong` ends a sentence that begins with the file.
 */
export function lookUpDockerConfig(text: string, url: string): Found {
  const config = parse(text);
  if (config === undefined) return { wrong: 'is not a JSON object' };
  const { host } = new URL(url);
  const isHub = HUB_HOSTS.has(host);
  const { credHelpers, credsStore } = config;
  const helpers = isMap(credHelpers) ? credHelpers : {};
  const [helperKey] = Object.keys(helpers).filter((key) => isFor(key, host, isHub));
  const helper = helperKey === undefined ? credsStore : helpers[helperKey];
  const auth = authFor(config, host, isHub);
  // Docker Desktop keeps an empty entry in `auths` for each login in its store.
  if (helper !== undefined && helper !== '' && !(helperKey === undefined && hasSecret(auth))) {
    if (typeof helper !== 'string' || !HELPER_NAME.test(helper))
      return { wrong: 'names a credential helper that is no program name' };
    const server = helperKey ?? (isHub ? HUB_KEY : host);
    return { kind: 'helper', program: `docker-credential-${helper}`, server };
  }
  if (auth === undefined) return { wrong: `has no credentials for ${isHub ? HUB_KEY : host}` };
  return loginOf(auth) ?? { wrong: `has no user name and password for ${isHub ? HUB_KEY : host}` };
}

function parse(text: string): WrittenMap | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isMap(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Keys are hosts, or URLs of which docker looks at the host only. */
function isFor(key: string, host: string, isHub: boolean): boolean {
  const named = key.replace(/^https?:\/\//, '').split('/')[0] ?? '';
  return isHub ? HUB_HOSTS.has(named) : named === host;
}

function authFor({ auths }: WrittenMap, host: string, isHub: boolean): WrittenMap | undefined {
  const entries = isMap(auths) ? Object.entries(auths) : [];
  const found = entries.find(([key]) => isFor(key, host, isHub))?.[1];
  return isMap(found) ? found : undefined;
}

function hasSecret(auth: WrittenMap | undefined): boolean {
  return auth !== undefined && loginOf(auth) !== undefined;
}

function loginOf({ auth, username, password, identitytoken }: WrittenMap): UpstreamCredentials | undefined {
  const decoded = typeof auth === 'string' ? Buffer.from(auth, 'base64').toString() : '';
  const colon = decoded.indexOf(':');
  const user = colon < 0 ? username : decoded.slice(0, colon);
  const secret = colon < 0 ? password : decoded.slice(colon + 1);
  if (typeof user !== 'string' || user === '') return undefined;
  if (typeof identitytoken === 'string' && identitytoken !== '') {
    return { kind: 'login', username: user, identityToken: identitytoken };
  }
  return typeof secret === 'string' && secret !== '' ? { kind: 'login', username: user, password: secret } : undefined;
}

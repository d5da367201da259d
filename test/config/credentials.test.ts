import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lookUpDockerConfig } from '../../src/config/docker-config.ts';
import { summarize } from '../../src/config/summary.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { loadValid, mistakesIn } from './support.ts';

const url = 'https://registry.example.com';
const fileWith = (credentials: unknown) => ({ upstreams: { hub: { url, credentials } } });
const credentialsOf = async (credentials: unknown, env = {}) =>
  (await loadValid({ file: fileWith(credentials), env })).upstreams.hub?.credentials;

async function secretFile(directory: string, name: string, text: string, mode = 0o600): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

describe('credentials of an upstream', () => {
  it('are those of each caller when nothing is said', async () => {
    expect((await loadValid({ file: { upstreams: { hub: { url } } } })).upstreams.hub?.credentials).toEqual({
      kind: 'passthrough',
    });
  });

  it.each(['none', 'passthrough'])('may be %s', async (kind) => {
    expect(await credentialsOf(kind)).toEqual({ kind });
  });

  it('may be a name with a password that stands there, in a file or in the environment', async () => {
    await using directory = await temporaryDirectory();
    const passwordFile = await secretFile(directory.path, 'password', 'hunter2\n');
    const expected = { kind: 'login', username: 'robot', password: 'hunter2' };
    expect(await credentialsOf({ username: 'robot', password: 'hunter2' })).toEqual(expected);
    expect(await credentialsOf({ username: 'robot', passwordFile })).toEqual(expected);
    expect(await credentialsOf({ username: 'robot', passwordEnv: 'HUB_TOKEN' }, { HUB_TOKEN: 'hunter2' })).toEqual(
      expected,
    );
    const env = {
      MANIFIX_UPSTREAMS_HUB_CREDENTIALS_USERNAME: 'robot',
      MANIFIX_UPSTREAMS_HUB_CREDENTIALS_PASSWORD: 'hunter2',
    };
    expect((await loadValid({ file: { upstreams: { hub: { url } } }, env })).upstreams.hub?.credentials).toEqual(
      expected,
    );
  });

  it('may be those of a config.json of docker', async () => {
    await using directory = await temporaryDirectory();
    const auths = { 'registry.example.com': { auth: Buffer.from('robot:hunter2').toString('base64') } };
    const dockerConfig = await secretFile(directory.path, 'config.json', JSON.stringify({ auths }));
    expect(await credentialsOf({ dockerConfig })).toEqual({ kind: 'login', username: 'robot', password: 'hunter2' });
  });

  it.each([
    [
      'a missing file',
      { username: 'u', passwordFile: '/nowhere/secret' },
      'upstreams.hub.credentials.passwordFile: /nowhere/secret: no such file',
    ],
    [
      'a missing config.json',
      { dockerConfig: '/nowhere/config.json' },
      'upstreams.hub.credentials.dockerConfig: /nowhere/config.json: no such file',
    ],
    [
      'a missing variable',
      { username: 'u', passwordEnv: 'NOT_THERE' },
      'upstreams.hub.credentials.passwordEnv: the environment has no NOT_THERE',
    ],
    [
      'no password',
      { username: 'u' },
      'upstreams.hub.credentials: needs one of password, passwordFile and passwordEnv',
    ],
    [
      'two passwords',
      { username: 'u', password: 'x', passwordEnv: 'Y' },
      'upstreams.hub.credentials: takes only one of',
    ],
    ['no name', { password: 'hunter2' }, 'upstreams.hub.credentials.username: required'],
    ['nothing', {}, 'upstreams.hub.credentials: one of none, passthrough'],
    [
      'two ways',
      { username: 'u', password: 'hunter2', dockerConfig: 'x' },
      'upstreams.hub.credentials: one of none, passthrough',
    ],
    ['a password as a word', 'robot:hunter2', 'upstreams.hub.credentials: expected none, passthrough, or a map'],
    [
      'a password that is a number',
      { username: 'u', password: 4711 },
      'upstreams.hub.credentials.password: must be text: put it in quotes',
    ],
    ['an empty password', { username: 'u', password: '' }, 'upstreams.hub.credentials.password: expected a password'],
    [
      'a mistyped key',
      { usernmae: 'u', password: 'hunter2' },
      'upstreams.hub.credentials.usernmae: unknown key; did you mean "username"?',
    ],
  ])('are refused with their place and without their secret: %s', async (_, credentials, message) => {
    const mistakes = await mistakesIn({ file: fileWith(credentials) });
    expect(mistakes).toEqual([expect.stringContaining(message)]);
    expect(mistakes.join()).not.toMatch(/hunter2|4711/);
  });

  it.each(['passwordFile', 'dockerConfig'])('are refused when everybody can read the %s', async (key) => {
    await using directory = await temporaryDirectory();
    const path = await secretFile(directory.path, 'secret', 'hunter2', 0o644);
    const user = key === 'passwordFile' ? { username: 'robot' } : {};
    expect(await mistakesIn({ file: fileWith({ ...user, [key]: path }) })).toEqual([
      `upstreams.hub.credentials.${key}: ${path} can be read by everybody on this machine; run: chmod o-rwx ${path}`,
    ]);
  });

  it('are refused when a password file is empty, and a config.json has nothing for this registry', async () => {
    await using directory = await temporaryDirectory();
    const path = await secretFile(directory.path, 'secret', '\n');
    expect(await mistakesIn({ file: fileWith({ username: 'u', passwordFile: path }) })).toEqual([
      `upstreams.hub.credentials.passwordFile: ${path} is empty`,
    ]);
    const dockerConfig = await secretFile(directory.path, 'config.json', '{}');
    expect(await mistakesIn({ file: fileWith({ dockerConfig }) })).toEqual([
      `upstreams.hub.credentials.dockerConfig: ${dockerConfig} has no credentials for registry.example.com`,
    ]);
  });

  it('are summed up by the name of the account', async () => {
    const summary = summarize(await loadValid({ file: fileWith({ username: 'robot', password: 'hunter2' }) }), []);
    expect(summary).toContain('(https://registry.example.com, generic, as robot)');
    expect(summary).not.toContain('hunter2');
  });
});

describe('realms', () => {
  it('are origins, without a path', async () => {
    const realms = ['https://AUTH.example.com', 'http://10.0.0.1:8080/'];
    const config = await loadValid({ file: { upstreams: { hub: { url, realms } } } });
    expect(config.upstreams.hub?.realms).toEqual(['https://auth.example.com', 'http://10.0.0.1:8080']);
    expect(
      await mistakesIn({ file: { upstreams: { hub: { url, realms: ['https://auth.example.com/token'] } } } }),
    ).toEqual([
      'upstreams.hub.realms[0]: expected an origin such as https://auth.example.com, got "https://auth.example.com/token"',
    ]);
  });
});

describe('a config.json of docker', () => {
  const auth = Buffer.from('robot:hunter2:x').toString('base64');
  const login = { kind: 'login', username: 'robot', password: 'hunter2:x' };
  const lookUp = (config: unknown, registry = url) => lookUpDockerConfig(JSON.stringify(config), registry);

  it.each([
    ['a host', 'registry.example.com', url],
    ['a URL', 'https://registry.example.com/v2/', url],
    ['a host with its port', 'registry.example.com:5000', `${url}:5000`],
    ['the former index of the Docker Hub', 'https://index.docker.io/v1/', 'https://registry-1.docker.io'],
  ])('names a registry by %s', (_, key, registry) => {
    expect(lookUp({ auths: { other: { auth: 'eDp5' }, [key]: { auth } } }, registry)).toEqual(login);
  });

  it('may hold name, password and refresh token apart', () => {
    const host = 'registry.example.com';
    expect(lookUp({ auths: { [host]: { username: 'u', password: 'p' } } })).toEqual({
      kind: 'login',
      username: 'u',
      password: 'p',
    });
    expect(lookUp({ auths: { [host]: { auth, identitytoken: 't' } } })).toEqual({
      kind: 'login',
      username: 'robot',
      identityToken: 't',
    });
  });

  it('may name a helper for this registry or for all; the one for all is not asked when the login stands here', () => {
    const host = 'registry.example.com';
    const helper = (program: string, server: string) => ({
      kind: 'helper',
      program: `docker-credential-${program}`,
      server,
    });
    const credHelpers = { [host]: 'ecr-login' };
    expect(lookUp({ credHelpers, credsStore: 'pass', auths: { [host]: { auth } } })).toEqual(helper('ecr-login', host));
    expect(lookUp({ credsStore: 'pass', auths: { [host]: {} } })).toEqual(helper('pass', host));
    expect(lookUp({ credsStore: 'pass' }, 'https://registry-1.docker.io')).toEqual(
      helper('pass', 'https://index.docker.io/v1/'),
    );
    expect(lookUp({ credsStore: 'pass', auths: { [host]: { auth } } })).toEqual(login);
  });

  it.each([
    ['is not a JSON object', '[]'],
    ['is not a JSON object', '{'],
    ['has no credentials for registry.example.com', '{"auths":{"other.example.com":{"auth":"eDp5"}}}'],
    ['has no user name and password for registry.example.com', '{"auths":{"registry.example.com":{"auth":"eA=="}}}'],
    ['names a credential helper that is no program name', '{"credsStore":"../../bin/sh"}'],
    ['names a credential helper that is no program name', '{"credHelpers":{"registry.example.com":7}}'],
  ])('that %s is refused', (wrong, text) => {
    expect(lookUpDockerConfig(text, url)).toEqual({ wrong });
  });
});

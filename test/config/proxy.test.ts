import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { summarize } from '../../src/config/summary.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { loadValid, mistakesIn, sampleFixes } from './support.ts';

const url = 'https://registry.example.com';
const fileWith = (proxy: unknown) => ({ upstreams: { hub: { url, proxy } } });
const proxyOf = async (proxy: unknown, env = {}) =>
  (await loadValid({ file: fileWith(proxy), env })).upstreams.hub?.proxy;
const origin = 'http://proxy.example.com:3128';
const login = { username: 'robot', password: 'p@ss:word' };

describe('the proxy of an upstream', () => {
  it('is none when nothing is said', async () => {
    expect((await loadValid({ file: { upstreams: { hub: { url } } } })).upstreams.hub?.proxy).toBeUndefined();
  });

  it('is a URL, perhaps with a name and a password in it', async () => {
    expect(await proxyOf(origin)).toEqual({ origin });
    expect(await proxyOf('https://proxy.example.com')).toEqual({ origin: 'https://proxy.example.com' });
    expect(await proxyOf('http://robot:p%40ss%3Aword@proxy.example.com:3128/')).toEqual({ origin, login });
  });

  it('may have its password beside the URL, in a file or in the environment', async () => {
    await using directory = await temporaryDirectory();
    const passwordFile = join(directory.path, 'password');
    await writeFile(passwordFile, `${login.password}\n`);
    await chmod(passwordFile, 0o600);
    expect(await proxyOf({ url: origin, ...login })).toEqual({ origin, login });
    expect(await proxyOf({ url: origin, username: 'robot', passwordFile })).toEqual({ origin, login });
    expect(await proxyOf({ url: 'http://robot@proxy.example.com:3128', passwordFile })).toEqual({ origin, login });
    const password = { url: origin, username: 'robot', passwordEnv: 'PROXY_PASSWORD' };
    expect(await proxyOf(password, { PROXY_PASSWORD: login.password })).toEqual({ origin, login });
  });

  it('may come from the environment', async () => {
    const file = { upstreams: { hub: { url } } };
    const whole = { MANIFIX_UPSTREAMS_HUB_PROXY: 'http://robot:p%40ss%3Aword@proxy.example.com:3128' };
    expect((await loadValid({ file, env: whole })).upstreams.hub?.proxy).toEqual({ origin, login });
    const part = { MANIFIX_UPSTREAMS_HUB_PROXY_PASSWORD: login.password };
    const beside = fileWith({ url: origin, username: 'robot' });
    expect((await loadValid({ file: beside, env: part })).upstreams.hub?.proxy).toEqual({ origin, login });
  });

  it('is shown by the check, without its secrets', async () => {
    const config = await loadValid({ file: fileWith({ url: origin, ...login }) });
    const summary = summarize(config, sampleFixes);
    expect(summary).toContain(`through ${origin}`);
    expect(summary).not.toContain(login.password);
  });

  const wrongUrl = 'expected the URL of an HTTP proxy such as http://proxy.example.com:3128';
  it.each([
    ['no URL', 'proxy.example.com:3128', '.url', wrongUrl],
    ['another kind of proxy', 'socks5://proxy.example.com', '.url', wrongUrl],
    ['a path', `${origin}/path`, '.url', wrongUrl],
    ['a password that is not encoded', 'http://robot:100%@proxy.example.com', '.url', wrongUrl],
    ['bytes that are no text', 'http://robot:%ff@proxy.example.com', '.url', wrongUrl],
    ['a password without a name', { url: origin, password: 'x' }, '.username', 'required, because there is a password'],
    [
      'two names',
      { url: 'http://a:b@proxy.example.com', username: 'c' },
      '.username',
      'the url has a user name already',
    ],
    [
      'a name without a password',
      { url: origin, username: 'robot' },
      '',
      'needs one of password, passwordFile, passwordEnv and a password in its url',
    ],
    [
      'two passwords',
      { url: origin, ...login, passwordEnv: 'X' },
      '',
      'takes only one of password, passwordFile, passwordEnv and a password in its url',
    ],
    [
      'a file that is not there',
      { url: origin, username: 'robot', passwordFile: '/nowhere/secret' },
      '.passwordFile',
      '/nowhere/secret: no such file or directory',
    ],
  ])('with %s is a mistake that is named and tells no secret', async (_, proxy, key, message) => {
    const [mistake, ...more] = await mistakesIn({ file: fileWith(proxy) });
    expect(mistake).toBe(`upstreams.hub.proxy${key}: ${message}`);
    expect(more).toEqual([]);
  });
});

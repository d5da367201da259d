import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { summarize } from '../../src/config/summary.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { loadValid, mistakesIn } from './support.ts';

const url = 'https://registry.example.com';
const HASH = `$2y$05$${'a'.repeat(53)}`;
const ISSUER = { name: 'ci', issuer: 'https://issuer.example.com', audience: 'manifix' };

const fileWith = (auth: unknown, rest: object = {}) => ({
  upstreams: { hub: { url, credentials: 'none' } },
  endpoints: [{ auth }],
  ...rest,
});
const authOf = async (auth: unknown) => (await loadValid({ file: fileWith(auth) })).endpoints[0]?.auth;

describe('how the clients of an endpoint log in', () => {
  it.each([undefined, 'none'])('is not asked where auth is %s', async (auth) => {
    expect(await authOf(auth)).toBeUndefined();
  });

  it('may be by passwords, which are read with the configuration', async () => {
    await using directory = await temporaryDirectory();
    const htpasswd = join(directory.path, 'users');
    await writeFile(htpasswd, `bob:${HASH}\n`);
    expect(await authOf({ htpasswd })).toEqual({
      htpasswd: { path: htpasswd, users: new Map([['bob', HASH]]) },
      tokens: false,
      oidc: [],
      certificates: false,
    });
  });

  it('may be by tokens of manifix and of OpenID issuers', async () => {
    const claims = { repository_owner: 'acme', ref: ['refs/heads/main', 'refs/tags/*'], run: 7 };
    expect(await authOf({ tokens: true, oidc: [{ ...ISSUER, groups: 'roles', claims }] })).toEqual({
      tokens: true,
      oidc: [
        {
          ...ISSUER,
          user: 'sub',
          groups: 'roles',
          claims: { repository_owner: ['acme'], ref: ['refs/heads/main', 'refs/tags/*'], run: ['7'] },
        },
      ],
      certificates: false,
    });
  });

  it('has to be possible at all', async () => {
    expect(await mistakesIn({ file: fileWith({}) })).toEqual([
      'endpoints[0].auth: names no way to log in: set htpasswd, tokens, oidc or certificates, or leave auth out for an endpoint that is open to everybody',
    ]);
    expect(await mistakesIn({ file: fileWith({ tokens: false, oidc: [] }) })).toHaveLength(1);
  });

  it('needs a registry that does not want the same credentials', async () => {
    const wrong =
      'endpoints[0].auth: clients log in to manifix, and then cannot log in to the registry with the same credentials; ' +
      'set upstreams.hub.credentials to none or to an account';
    for (const credentials of [undefined, 'passthrough', { mode: 'passthrough' }]) {
      expect(
        await mistakesIn({ file: fileWith({ tokens: true }, { upstreams: { hub: { url, credentials } } }) }),
      ).toEqual([wrong]);
    }
    const named = { upstreams: { hub: { url }, own: { url, credentials: 'none' } } };
    const endpoints = [{ upstream: 'own', auth: { tokens: true } }];
    expect(await mistakesIn({ file: { ...named, endpoints } })).toEqual([]);
  });

  it('needs a file of passwords that can be read and has nothing but bcrypt, line by line', async () => {
    await using directory = await temporaryDirectory();
    const htpasswd = join(directory.path, 'users');
    expect(await mistakesIn({ file: fileWith({ htpasswd }) })).toEqual([
      `endpoints[0].auth.htpasswd: ${htpasswd} cannot be read: no such file or directory`,
    ]);
    await writeFile(htpasswd, `bob:${HASH}\nann:$apr1$x$y\n`);
    expect(await mistakesIn({ file: fileWith({ htpasswd }) })).toEqual([
      `endpoints[0].auth.htpasswd: ${htpasswd}, line 2: has a password in MD5 (apr1) for "ann"; make a bcrypt hash: htpasswd -B FILE ann`,
    ]);
  });

  it('needs authorities where certificates count, and a certificate of its own where there are authorities', async () => {
    expect(await mistakesIn({ file: fileWith({ certificates: true }) })).toEqual([
      'endpoints[0].auth.certificates: needs tls.clientAuthorities: a file with the certificates of the authorities that sign for clients',
    ]);
    expect(await mistakesIn({ file: fileWith(undefined, { tls: { clientAuthorities: 'ca.pem' } }) })).toEqual([
      'tls.clientAuthorities: needs tls.cert and tls.key: certificates are shown on TLS connections only',
    ]);
  });

  it.each([
    [[{ ...ISSUER, issuer: 'http://issuer.example.com' }], 'oidc[0].issuer: expected an https URL'],
    [[{ ...ISSUER, issuer: 'https://user:pass@issuer.example.com' }], 'oidc[0].issuer: expected an https URL'],
    [[{ ...ISSUER, name: 'A B' }], 'oidc[0].name: a name is made of'],
    [[{ ...ISSUER, name: 'cert' }], 'oidc[0].name: "cert" has a meaning of its own'],
    [[ISSUER, ISSUER], 'oidc[1].name: "ci" is there already'],
    [[{ ...ISSUER, claims: { ref: [] } }], 'oidc[0].claims.ref: expected a text or a list of texts'],
    [[{ ...ISSUER, claims: { ref: { is: 'main' } } }], 'oidc[0].claims.ref: expected a text or a list of texts'],
    [[{ ...ISSUER, ca: '/nowhere/ca.pem' }], 'oidc[0].ca: /nowhere/ca.pem cannot be read'],
  ])('says what is wrong with an issuer: %j', async (oidc, message) => {
    const mistakes = await mistakesIn({ file: fileWith({ oidc }) });
    expect(mistakes).toEqual([expect.stringContaining(`endpoints[0].auth.${message}`)]);
    expect(mistakes.join()).not.toContain('pass@');
  });

  it('is told by manifix check, with the number of rules', async () => {
    const told = async (endpoint: object) =>
      summarize(await loadValid({ file: fileWith(undefined, { endpoints: [endpoint] }) }), []);
    const rights = [{ who: ['authenticated'], allow: ['pull'] }];
    expect(await told({ auth: { tokens: true, oidc: [ISSUER] }, rights: [...rights, ...rights] })).toContain(
      '\n    clients: tokens, OpenID tokens of https://issuer.example.com as ci; 2 rules',
    );
    expect(await told({ auth: { tokens: true } })).toContain('clients: tokens; no rules: nobody may do anything');
    expect(await told({})).not.toContain('clients:');
  });

  it('has one issuer for one name', async () => {
    const other = { ...ISSUER, issuer: 'https://other.example.com' };
    const endpoints = [{ auth: { oidc: [ISSUER] } }, { name: 'b', prefix: 'b', auth: { oidc: [other] } }];
    expect(await mistakesIn({ file: fileWith(undefined, { endpoints }) })).toEqual([
      'endpoints[1].auth.oidc[0].name: "ci" is the name of another issuer already',
    ]);
  });

  it('may have an issuer on this machine without TLS', async () => {
    for (const issuer of ['http://127.0.0.1:8080', 'http://localhost:8080/realm', 'http://[::1]:80']) {
      expect(await mistakesIn({ file: fileWith({ oidc: [{ ...ISSUER, issuer }] }) })).toEqual([]);
    }
  });
});

import { createHmac } from 'node:crypto';
import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { createIssuerKeys } from '../../src/auth/issuer-keys.ts';
import { createOpenIdTokens, resemblesOpenIdToken } from '../../src/auth/open-id.ts';
import type { TrustedIssuer } from '../../src/domain/authentication.ts';

const ISSUER = 'https://issuer.test';
const TIME = Date.UTC(2026, 10, 27, 14);
const SECONDS = TIME / 1_000;
const ENTRY: TrustedIssuer = { name: 'ci', issuer: ISSUER, audience: 'manifix', user: 'sub', claims: {} };
const CLAIMS: JWTPayload = { iss: ISSUER, aud: 'manifix', sub: 'repo:acme/app', exp: SECONDS + 300 };
const HEADER: JWTHeaderParameters = { alg: 'RS256', kid: 'first' };

type Keys = Awaited<ReturnType<typeof generateKeyPair>>;
let first: Keys;
let second: Keys;
let elliptic: Keys;
beforeAll(async () => {
  first = await generateKeyPair('RS256', { extractable: true });
  second = await generateKeyPair('RS256', { extractable: true });
  elliptic = await generateKeyPair('ES256', { extractable: true });
});

const signed = (claims: JWTPayload = CLAIMS, header: JWTHeaderParameters = HEADER, { privateKey } = first) =>
  new SignJWT(claims).setProtectedHeader(header).sign(privateKey);

/** An issuer without a network, and an endpoint that trusts it. */
function stage(...entries: readonly Partial<TrustedIssuer>[]) {
  const clock = { now: 0, time: TIME };
  const issuer = {
    asked: [] as string[],
    down: false,
    keys: { first } as Record<string, Keys>,
    discovery: { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` } as object,
  };
  const logged: string[] = [];
  async function getJson(url: string): Promise<unknown> {
    issuer.asked.push(url);
    if (issuer.down) throw new Error('connection refused');
    if (url.endsWith('/.well-known/openid-configuration')) return issuer.discovery;
    const named = Object.entries(issuer.keys);
    return {
      keys: await Promise.all(named.map(async ([kid, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid }))),
    };
  }
  const keys = createIssuerKeys({
    issuer: ISSUER,
    getJson,
    now: () => clock.now,
    log: (_, message, facts) => void logged.push(`${message}: ${facts.problem}`),
  });
  const tokens = createOpenIdTokens({
    issuers: (entries.length === 0 ? [{}] : entries).map((entry) => ({ ...ENTRY, ...entry })),
    keysOf: () => keys,
    seal: (token) => token,
    now: () => clock.now,
    time: () => clock.time,
  });
  return { clock, issuer, logged, verify: (token: string) => tokens.verify(token), trusts: tokens.trusts };
}

describe('a token of a trusted issuer', () => {
  it('says who its holder is, in names of its own, and until when', async () => {
    const token = await signed({ ...CLAIMS, roles: ['ops', 'dev', 7], ref: 'refs/heads/main' });
    expect(await stage({ groups: 'roles' }).verify(token)).toEqual({
      principal: {
        method: 'oidc',
        user: 'ci:repo:acme/app',
        groups: ['ci:ops', 'ci:dev'],
        claims: {
          'ci:iss': ISSUER,
          'ci:aud': 'manifix',
          'ci:sub': 'repo:acme/app',
          'ci:exp': SECONDS + 300,
          'ci:roles': ['ops', 'dev', 7],
          'ci:ref': 'refs/heads/main',
        },
      },
      until: TIME + 330_000,
      proof: expect.stringMatching(/^oidc [\w-]{43}$/),
    });
  });

  it('may be signed in other ways that only the issuer can', async () => {
    const { issuer, verify } = stage();
    issuer.keys = { elliptic };
    expect(await verify(await signed(CLAIMS, { alg: 'ES256', kid: 'elliptic' }, elliptic))).toHaveProperty('principal');
  });

  it('may be for several audiences, and name its user and its only group in other claims', async () => {
    const claims = { ...CLAIMS, aud: ['other', 'manifix'], who: 42, team: 'ops' };
    const outcome = await stage({ user: 'who', groups: 'team' }).verify(await signed(claims));
    expect(outcome).toMatchObject({ principal: { user: 'ci:42', groups: ['ci:ops'] } });
  });

  it('counts by the first entry of its issuer that takes it', async () => {
    const outcome = await stage({ audience: 'other' }, { name: 'own' }).verify(await signed());
    expect(outcome).toMatchObject({ principal: { user: 'own:repo:acme/app' } });
  });

  it('is verified once in a minute, and counts not a moment longer than it says', async () => {
    const { clock, issuer, verify } = stage();
    const token = await signed({ ...CLAIMS, exp: SECONDS + 10 });
    expect(await verify(token)).toHaveProperty('principal');
    issuer.keys = {};
    [clock.now, clock.time] = [39_999, TIME + 39_999];
    expect(await verify(token)).toHaveProperty('principal');
    [clock.now, clock.time] = [40_000, TIME + 40_000];
    expect(await verify(token)).toEqual({ wrong: 'ended on 2026-11-27T14:00:10.000Z' });
  });
});

it('is trusted on as long as its entry is the same', async () => {
  const { verify, trusts } = stage();
  const outcome = await verify(await signed());
  const print = 'proof' in outcome ? outcome.proof.replace('oidc ', '') : '';
  expect([trusts(print), stage({}).trusts(print), stage({ audience: 'other' }).trusts(print)]).toEqual([
    true,
    true,
    false,
  ]);
});

describe('a token that does not count', () => {
  const cases: readonly (readonly [string, JWTPayload, string])[] = [
    ['that is over', { ...CLAIMS, exp: SECONDS - 31 }, 'ended on 2026-11-27T13:59:29.000Z'],
    ['without an end', { iss: ISSUER, aud: 'manifix', sub: 'x' }, 'has no valid "exp"'],
    ['that is not valid yet', { ...CLAIMS, nbf: SECONDS + 31 }, 'is not valid yet'],
    ['for others', { ...CLAIMS, aud: 'other' }, 'is for another audience than "manifix"'],
    ['for nobody', { iss: ISSUER, sub: 'x', exp: SECONDS + 300 }, 'is for another audience than "manifix"'],
    [
      'of an unknown issuer',
      { ...CLAIMS, iss: 'https://evil.test' },
      'comes from an issuer that it does not know: "https://evil.test"',
    ],
    ['of nobody', { aud: 'manifix', exp: SECONDS + 300 }, 'comes from an issuer that it does not know: ""'],
    ['without a user', { iss: ISSUER, aud: 'manifix', exp: SECONDS + 300 }, 'names no user in the claim "sub"'],
    ['with an empty user', { ...CLAIMS, sub: '' }, 'names no user in the claim "sub"'],
    ['with a user who speaks to terminals', { ...CLAIMS, sub: 'bob\u001b[2J' }, 'names no user in the claim "sub"'],
    ['with an endless user', { ...CLAIMS, sub: 'x'.repeat(256) }, 'names no user in the claim "sub"'],
  ];

  it.each(cases)('is one %s', async (_, claims, wrong) => {
    expect(await stage().verify(await signed(claims))).toEqual({ wrong });
  });

  it('but clocks may differ by half a minute', async () => {
    const { verify } = stage();
    expect(await verify(await signed({ ...CLAIMS, exp: SECONDS - 29 }))).toHaveProperty('principal');
    expect(await verify(await signed({ ...CLAIMS, nbf: SECONDS + 30 }))).toHaveProperty('principal');
  });

  it('is one that nobody signed', async () => {
    expect(await stage().verify(new UnsecuredJWT(CLAIMS).encode())).toEqual({ wrong: 'has the algorithm "none"' });
    const [header, payload] = (await signed()).split('.');
    expect(await stage().verify(`${header}.${payload}.`)).toEqual({ wrong: 'has a wrong signature' });
  });

  it('is one whose algorithm was swapped, so that the public key would be the secret', async () => {
    const { verify } = stage();
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${encode({ alg: 'HS256', kid: 'first' })}.${encode(CLAIMS)}`;
    for (const secret of [await exportSPKI(first.publicKey), JSON.stringify(await exportJWK(first.publicKey))]) {
      const forged = `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
      expect(await verify(forged)).toEqual({ wrong: 'has the algorithm "HS256"' });
    }
    const [, payload, signature] = (await signed()).split('.');
    for (const alg of ['ES256', 'PS256', 'EdDSA']) {
      expect(await verify(`${encode({ alg, kid: 'first' })}.${payload}.${signature}`)).toHaveProperty('wrong');
    }
  });

  it('is one that another key signed in the name of a known one, or that was changed afterwards', async () => {
    const { verify } = stage();
    expect(await verify(await signed(CLAIMS, HEADER, second))).toEqual({ wrong: 'has a wrong signature' });
    const [header, , signature] = (await signed()).split('.');
    const payload = Buffer.from(JSON.stringify({ ...CLAIMS, sub: 'admin' })).toString('base64url');
    expect(await verify(`${header}.${payload}.${signature}`)).toEqual({ wrong: 'has a wrong signature' });
  });

  it('is one that brings its key, or says where it is', async () => {
    const { issuer, verify } = stage();
    const jwk = await exportJWK(second.publicKey);
    for (const extra of [{ jwk }, { jku: 'https://evil.test/keys' }, { x5u: 'https://evil.test/chain' }]) {
      const header: JWTHeaderParameters = { alg: 'RS256', kid: 'mine', ...extra };
      expect(await verify(await signed(CLAIMS, header, second))).toEqual({
        wrong: 'is signed with a key that its issuer does not have',
      });
    }
    expect(issuer.asked.filter((url) => url.includes('evil'))).toEqual([]);
  });

  it('is one that wants more than it is known how to do', async () => {
    const header: JWTHeaderParameters = { ...HEADER, crit: ['http://evil.test/ext'], 'http://evil.test/ext': true };
    const token = new SignJWT(CLAIMS).setProtectedHeader(header);
    expect(
      await stage().verify(await token.sign(first.privateKey, { crit: { 'http://evil.test/ext': true } })),
    ).toEqual({
      wrong: 'cannot be verified',
    });
  });

  it('is one of more than 16 KiB, which nobody reads', async () => {
    const { issuer, verify } = stage();
    expect(await verify(await signed({ ...CLAIMS, more: 'x'.repeat(16_384) }))).toEqual({
      wrong: 'is longer than 16 KiB',
    });
    expect(issuer.asked).toEqual([]);
  });

  it.each(['eyJ.eyJ.x', 'eyJhbGciOiJSUzI1NiJ9.bm8ganNvbg.x', 'eyJhbGciOiJSUzI1NiJ9..'])(
    'is none: %s',
    async (token) => {
      expect(await stage().verify(token)).toEqual({ wrong: 'cannot be read' });
    },
  );
});

describe('claims', () => {
  const kubernetes = { 'kubernetes.io': { namespace: 'ci', serviceaccount: { name: 'builder' } } };

  it.each([
    [{ repository_owner: ['acme'] }, { repository_owner: 'acme' }],
    [{ ref: ['refs/heads/main', 'refs/tags/*'] }, { ref: 'refs/tags/v1' }],
    [{ roles: ['ops'] }, { roles: ['dev', 'ops'] }],
    [{ protected: ['true'] }, { protected: true }],
    [{ 'kubernetes.io/namespace': ['ci'], 'kubernetes.io/serviceaccount/name': ['build*'] }, kubernetes],
  ])('that must be %j are, in %j', async (rules, claims) => {
    expect(await stage({ claims: rules }).verify(await signed({ ...CLAIMS, ...claims }))).toHaveProperty('principal');
  });

  it.each([
    [{ repository_owner: ['acme'] }, { repository_owner: 'acme-evil' }],
    [{ repository_owner: ['acme'] }, {}],
    [{ repository_owner: ['*'] }, {}],
    [{ toString: ['*'] }, {}],
    [{ ref: ['refs/*/main'] }, { ref: 'refs/heads/main/evil' }],
    [{ ref: ['a*a'] }, { ref: 'a' }],
    [{ roles: ['ops'] }, { roles: { ops: true } }],
    [
      { owner: ['acme'], ref: ['main'] },
      { owner: 'acme', ref: 'evil' },
    ],
    [{ 'kubernetes.io/namespace': ['prod'] }, kubernetes],
  ])('that must be %j are not, in %j', async (rules, claims) => {
    const outcome = await stage({ claims: rules }).verify(await signed({ ...CLAIMS, ...claims }));
    expect(outcome).toEqual({
      wrong: expect.stringMatching(/^does not have the claim ".+" as this endpoint wants it$/),
    });
  });

  it('by path do not hide those that have such a name themselves', async () => {
    const claims = { ...CLAIMS, a: { b: 'inner' }, 'a/b': 'own' };
    expect(await stage({ claims: { 'a/b': ['own'] } }).verify(await signed(claims))).toHaveProperty('principal');
    const turned = { ...CLAIMS, 'a/b': 'own', a: { b: 'inner' } };
    expect(await stage({ claims: { 'a/b': ['own'] } }).verify(await signed(turned))).toHaveProperty('principal');
  });
});

describe('the keys of an issuer', () => {
  const unknown = { unknown: `the issuer ${ISSUER} does not tell its keys` };
  const wrongKey = { wrong: 'is signed with a key that its issuer does not have' };

  it('are asked for once by all who need them', async () => {
    const { issuer, verify } = stage();
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, at) => signed({ ...CLAIMS, sub: `job ${at}` })));
    expect((await Promise.all(tokens.map(verify))).every((outcome) => 'principal' in outcome)).toBe(true);
    expect(issuer.asked).toEqual([`${ISSUER}/.well-known/openid-configuration`, `${ISSUER}/keys`]);
  });

  it('are asked for again when a token names a new one', async () => {
    const { issuer, clock, verify } = stage();
    await verify(await signed());
    issuer.keys = { second };
    clock.now = 10_000;
    expect(await verify(await signed(CLAIMS, { alg: 'RS256', kid: 'second' }, second))).toHaveProperty('principal');
    expect(await verify(await signed({ ...CLAIMS, sub: 'late' }))).toEqual(wrongKey);
    expect(issuer.asked).toHaveLength(4);
  });

  it('are not asked for again for each name that somebody makes up', async () => {
    const { issuer, clock, verify } = stage();
    await verify(await signed());
    for (let at = 0; at < 50; at += 1) {
      clock.now += 500;
      expect(await verify(await signed(CLAIMS, { alg: 'RS256', kid: `made up ${at}` }, second))).toEqual(wrongKey);
    }
    expect(issuer.asked.length).toBeLessThanOrEqual(2 + 2 * 3);
  });

  it('that are known go on working while the issuer is down, and others do not', async () => {
    const { issuer, clock, logged, verify } = stage();
    await verify(await signed());
    issuer.down = true;
    clock.now = 24 * 3_600_000;
    expect(await verify(await signed({ ...CLAIMS, sub: 'next' }))).toHaveProperty('principal');
    clock.now += 10_000;
    expect(await verify(await signed(CLAIMS, { alg: 'RS256', kid: 'second' }, second))).toEqual(wrongKey);
    expect(logged).toEqual(['the keys of an OpenID issuer cannot be read: connection refused']);
  });

  it('that were never told let nobody in, until the issuer is back', async () => {
    const { issuer, clock, verify } = stage();
    issuer.down = true;
    expect(await verify(await signed())).toEqual(unknown);
    issuer.down = false;
    expect(await verify(await signed())).toEqual(unknown);
    clock.now = 10_000;
    expect(await verify(await signed())).toHaveProperty('principal');
  });

  it('that the issuer took back count no more after a while', async () => {
    const { issuer, clock, verify } = stage();
    await verify(await signed());
    issuer.keys = { second };
    clock.now = 600_000;
    // The one that notices that keys are old does not wait for others.
    await verify(await signed({ ...CLAIMS, sub: 'next' }));
    await expect.poll(() => issuer.asked.length).toBe(4);
    await expect.poll(async () => verify(await signed({ ...CLAIMS, sub: 'last' }))).toEqual(wrongKey);
  });

  it.each([
    [{ issuer: 'https://evil.test', jwks_uri: `${ISSUER}/keys` }],
    [{ issuer: ISSUER, jwks_uri: 'http://issuer.test/keys' }],
    [{ issuer: ISSUER, jwks_uri: 'file:///etc/passwd' }],
    [{ issuer: ISSUER }],
    [[]],
  ])('are not looked for where %j says', async (discovery) => {
    const { issuer, verify } = stage();
    issuer.discovery = discovery;
    expect(await verify(await signed())).toEqual(unknown);
    expect(issuer.asked).toHaveLength(1);
  });
});

it('is told from other words by its looks', async () => {
  expect(resemblesOpenIdToken(await signed())).toBe(true);
  for (const text of ['secret', 'eyJ.a', 'a.b.c', 'mfx_x', 'eyJa.b.c.d'])
    expect(resemblesOpenIdToken(text)).toBe(false);
});

import { describe, expect, it } from 'vitest';
import { hashAccessToken, newAccessToken } from '../../src/auth/access-token-text.ts';
import { type AuthenticationOptions, createAuthentications } from '../../src/auth/authenticate.ts';
import type { Authenticated, AuthenticationSettings, Shown } from '../../src/domain/authentication.ts';

const SETTINGS: AuthenticationSettings = { tokens: false, oidc: [], certificates: false };
const CERTIFICATE = { name: 'builder', until: 1_000_000 };

const OPTIONS: AuthenticationOptions = {
  now: () => 0,
  time: () => 0,
  tokens: { find: () => undefined, get: () => undefined },
  getJson: () => Promise.reject(new Error('nobody asks')),
  log: () => undefined,
};

function stage(tokens: AuthenticationOptions['tokens'] = OPTIONS.tokens) {
  const authentications = createAuthentications({
    ...OPTIONS,
    tokens,
    isRight: async (password, hash) => hash === `hash of ${password}`,
  });
  const htpasswd = { path: '/nowhere/users', users: new Map([['bob', 'hash of secret']]) };
  return (settings: Partial<AuthenticationSettings>, shown: Partial<Shown> = {}): Promise<Authenticated> =>
    authentications
      .of('team', { ...SETTINGS, ...('htpasswd' in settings ? { htpasswd } : {}), ...settings })
      .authenticate({ address: '192.0.2.1', ...shown });
}

const WITH_PASSWORDS = { htpasswd: { path: '/nowhere/users', users: new Map([['bob', 'hash of secret']]) } };
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** The status and the message of a refusal. */
const refusalOf = (outcome: Authenticated) =>
  'refused' in outcome ? [outcome.refused.status, outcome.refused.message] : undefined;

describe('a client', () => {
  it('that shows nothing is nobody in particular', async () => {
    expect(await stage()(WITH_PASSWORDS)).toEqual({ principal: { method: 'anonymous', groups: [], claims: {} } });
  });

  it('is the user whose password it knows', async () => {
    expect(await stage()(WITH_PASSWORDS, { authorization: basic('bob', 'secret') })).toMatchObject({
      principal: { method: 'htpasswd', user: 'bob', groups: [], claims: {} },
    });
  });

  it('hears the same whether the user or the password is wrong', async () => {
    const authenticate = stage();
    const outcomes = await Promise.all(
      [basic('bob', 'wrong'), basic('nobody', 'secret')].map((authorization) =>
        authenticate(WITH_PASSWORDS, { authorization }),
      ),
    );
    expect(outcomes.map(refusalOf)).toEqual([
      [401, 'the user name or the password is wrong at the endpoint "team"'],
      [401, 'the user name or the password is wrong at the endpoint "team"'],
    ]);
  });

  it('hears when it may guess again', async () => {
    const authenticate = stage();
    for (let at = 0; at < 10; at += 1)
      await authenticate(WITH_PASSWORDS, { authorization: basic('bob', `guess ${at}`) });
    const outcome = await authenticate(WITH_PASSWORDS, { authorization: basic('bob', 'secret') });
    expect(refusalOf(outcome)).toEqual([429, expect.stringContaining('try again in 1 s')]);
    expect('refused' in outcome && outcome.refused.headers).toEqual([['Retry-After', '1']]);
  });

  it('is who its certificate says, where certificates count and until it ends', async () => {
    const authenticate = stage();
    expect(await authenticate({ certificates: true }, { certificate: CERTIFICATE })).toMatchObject({
      principal: { method: 'certificate', user: 'cert:builder', groups: [], claims: {} },
      until: 1_000_000,
    });
    expect(await authenticate(WITH_PASSWORDS, { certificate: CERTIFICATE })).toEqual({
      principal: { method: 'anonymous', groups: [], claims: {} },
    });
  });

  it('is who its credentials say, when it shows a certificate, too', async () => {
    const settings = { ...WITH_PASSWORDS, certificates: true };
    const shown = { certificate: CERTIFICATE, authorization: basic('bob', 'secret') };
    expect(await stage()(settings, shown)).toMatchObject({ principal: { user: 'bob' } });
    const wrong = { certificate: CERTIFICATE, authorization: basic('bob', 'wrong') };
    expect(refusalOf(await stage()(settings, wrong))?.[0]).toBe(401);
  });

  it.each([
    ['Digest username="bob"', 'takes Basic and Bearer, and this is neither'],
    ['Bearer abc', 'does not know this token'],
    [basic('bob', 'secret'), 'takes no passwords'],
  ])('with "%s" hears that the endpoint %s', async (authorization, why) => {
    expect(refusalOf(await stage()({}, { authorization }))).toEqual([401, `the endpoint "team" ${why}`]);
  });
});

describe('the proof of a client', () => {
  it('holds as long as it would be recognised with what it showed', async () => {
    const authentications = createAuthentications({ ...OPTIONS, isRight: async () => true });
    const of = (users: Record<string, string>, certificates = false) =>
      authentications.of('team', {
        ...SETTINGS,
        certificates,
        htpasswd: { path: '/nowhere/users', users: new Map(Object.entries(users)) },
      });
    const known = await of({ 'b ob': 'one' }).authenticate({ address: '', authorization: basic('b ob', 'x') });
    const proof = 'proof' in known ? `${known.proof}` : '';
    expect(proof).toMatch(/^htpasswd /);
    expect(await of({ 'b ob': 'one' }).holds(proof)).toBe(true);
    expect(await of({ 'b ob': 'other' }).holds(proof)).toBe(false);
    expect(await of({ ann: 'one' }).holds(proof)).toBe(false);
    expect(await authentications.of('team', SETTINGS).holds(proof)).toBe(false);
    expect(await of({}, true).holds('certificate')).toBe(true);
    expect(await of({}).holds('certificate')).toBe(false);
    expect(await of({}).holds('anything')).toBe(false);
  });
});

it('holds the proof of a token until that is revoked, ends or counts elsewhere', async () => {
  const records = new Map([
    ['a1', { id: 'a1', user: 'robot', note: '', createdAt: 0, endpoints: ['team'], expiresAt: 1 }],
  ]);
  const tokens = { find: () => undefined, get: (id: string) => records.get(id) };
  const clock = { time: 0 };
  const authentications = createAuthentications({ ...OPTIONS, tokens, time: () => clock.time });
  const at = (endpoint: string, tokens = true) =>
    authentications.of(endpoint, { ...SETTINGS, tokens }).holds('token a1');
  expect([await at('team'), await at('other'), await at('team', false)]).toEqual([true, false, false]);
  clock.time = 1;
  expect(await at('team')).toBe(false);
  clock.time = 0;
  records.clear();
  expect(await at('team')).toBe(false);
});

describe('a token of manifix', () => {
  const token = newAccessToken();
  const record = { id: 'a1', user: 'robot', note: '', createdAt: 0, expiresAt: 9_000 };
  const kept = { find: (hash: string) => (hash === hashAccessToken(token) ? record : undefined), get: () => record };
  const robot = {
    principal: { method: 'token', user: 'robot', groups: [], claims: {} },
    until: 9_000,
    proof: 'token a1',
  };

  it.each([basic('robot', token), `Bearer ${token}`])('proves who its user is: %#', async (authorization) => {
    expect(await stage(kept)({ tokens: true }, { authorization })).toEqual(robot);
  });

  it.each([
    [
      'of another user',
      { tokens: true },
      basic('bob', token),
      'does not take the token a1 for another user than its own',
    ],
    ['where none count', {}, basic('robot', token), 'takes no tokens of manifix'],
    ['that is damaged', { tokens: true }, `Bearer ${token}x`, 'cut or mistyped'],
    ['that is not known', { tokens: true }, `Bearer ${newAccessToken()}`, 'revoked or never made here'],
  ])('%s is refused, and told why', async (_, settings, authorization, why) => {
    expect(refusalOf(await stage(kept)(settings, { authorization }))).toEqual([401, expect.stringContaining(why)]);
  });

  it('is never taken for a password, which would make its user pause', async () => {
    const authenticate = stage();
    const settings = { ...WITH_PASSWORDS, tokens: true };
    for (let at = 0; at < 30; at += 1) await authenticate(settings, { authorization: basic('bob', newAccessToken()) });
    expect(await authenticate(settings, { authorization: basic('bob', 'secret') })).toHaveProperty('principal');
  });

  it('counts for nothing while tokens cannot be looked up, and is not called wrong', async () => {
    const find = () => {
      throw new Error('disk failure');
    };
    const outcome = await stage({ find, get: find })({ tokens: true }, { authorization: `Bearer ${token}` });
    expect(refusalOf(outcome)?.[0]).toBe(503);
  });
});

it('tells the audit log who was denied to log in', async () => {
  const authenticate = stage();
  const deniedTo = async (authorization: string) => {
    const outcome = await authenticate(WITH_PASSWORDS, { authorization });
    return 'refused' in outcome ? outcome.refused.denied : undefined;
  };
  expect(await deniedTo(basic('bob', 'wrong'))).toEqual({ action: 'login', endpoint: 'team', user: 'bob' });
  expect(await deniedTo('Bearer abc')).toEqual({ action: 'login', endpoint: 'team' });
});

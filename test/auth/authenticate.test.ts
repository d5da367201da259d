import { describe, expect, it } from 'vitest';
import { createAuthentications } from '../../src/auth/authenticate.ts';
import type { Authenticated, AuthenticationSettings, Shown } from '../../src/domain/authentication.ts';

const SETTINGS: AuthenticationSettings = { tokens: false, oidc: [], certificates: false };
const CERTIFICATE = { name: 'builder', until: 1_000_000 };

function stage() {
  const authentications = createAuthentications({
    now: () => 0,
    log: () => undefined,
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

/** The status and the explanation of a refusal. */
const refusalOf = (outcome: Authenticated) =>
  'refused' in outcome ? [outcome.refused.status, outcome.refused.explanation] : undefined;

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
      [401, 'The user name or the password is wrong at the endpoint "team" of manifix.'],
      [401, 'The user name or the password is wrong at the endpoint "team" of manifix.'],
    ]);
  });

  it('hears when it may guess again', async () => {
    const authenticate = stage();
    for (let at = 0; at < 10; at += 1)
      await authenticate(WITH_PASSWORDS, { authorization: basic('bob', `guess ${at}`) });
    const outcome = await authenticate(WITH_PASSWORDS, { authorization: basic('bob', 'secret') });
    expect(refusalOf(outcome)).toEqual([429, expect.stringContaining('Try again in 1 s.')]);
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
    ['Digest username="bob"', 'reads neither more nor less than Basic and Bearer'],
    ['Bearer abc', 'does not know this token'],
    [basic('bob', 'secret'), 'takes no passwords'],
  ])('with "%s" hears that the endpoint %s', async (authorization, why) => {
    expect(refusalOf(await stage()({}, { authorization }))).toEqual([401, `The endpoint "team" of manifix ${why}.`]);
  });
});

describe('the proof of a client', () => {
  it('holds as long as it would be recognised with what it showed', async () => {
    const authentications = createAuthentications({ now: () => 0, log: () => undefined, isRight: async () => true });
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

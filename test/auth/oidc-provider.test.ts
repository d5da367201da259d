import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthentications } from '../../src/auth/authenticate.ts';
import { getJson } from '../../src/lib/get-json.ts';
import { type OidcIssuer, startOidcIssuer } from '../support/oidc-issuer.ts';

let provider: OidcIssuer;
beforeAll(async () => {
  provider = await startOidcIssuer();
});
afterAll(() => provider[Symbol.asyncDispose]());

/** An endpoint that trusts the provider. */
function stage() {
  const clock = { now: 0 };
  const authentications = createAuthentications({
    now: () => clock.now,
    time: Date.now,
    tokens: { find: () => undefined, get: () => undefined },
    getJson,
    log: () => undefined,
  });
  const oidc = [
    { name: 'ci', issuer: provider.issuer, audience: 'manifix', user: 'sub', claims: { repository_owner: ['acme'] } },
  ];
  const endpoint = authentications.of('team', { tokens: false, oidc, certificates: false });
  return {
    clock,
    show: (authorization: string) => endpoint.authenticate({ authorization, address: '127.0.0.1' }),
  };
}

const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const builder = { principal: { method: 'oidc', user: 'ci:builder' } };
const statusOf = (outcome: object) =>
  'refused' in outcome ? (outcome.refused as { status: number }).status : undefined;

describe('tokens of a certified OpenID provider', () => {
  it('prove who a client is, as Bearer and as the password of any user', async () => {
    const { show } = stage();
    const token = await provider.token({ repository_owner: 'acme', ref: 'refs/heads/main' });
    const outcome = await show(`Bearer ${token}`);
    expect(outcome).toMatchObject(builder);
    expect(outcome).toMatchObject({
      principal: { claims: { 'ci:ref': 'refs/heads/main' } },
      until: expect.any(Number),
    });
    expect(await show(basic('whoever', token))).toMatchObject(builder);
  });

  it('do not count with other claims', async () => {
    const token = await provider.token({ repository_owner: 'evil' });
    expect(statusOf(await stage().show(`Bearer ${token}`))).toBe(401);
  });

  it('count after the provider changed its key, and the old ones do not', async () => {
    const { show, clock } = stage();
    const old = await provider.token({ repository_owner: 'acme' });
    const other = await provider.token({ repository_owner: 'acme', job: 2 });
    expect(await show(`Bearer ${old}`)).toMatchObject(builder);
    await provider.rotate();
    clock.now = 10_000;
    expect(await show(`Bearer ${await provider.token({ repository_owner: 'acme' })}`)).toMatchObject(builder);
    expect(statusOf(await show(`Bearer ${other}`))).toBe(401);
  });

  it('of known keys count while the provider is down, and nobody else gets in', async () => {
    const { show, clock } = stage();
    await show(`Bearer ${await provider.token({ repository_owner: 'acme' })}`);
    const known = await provider.token({ repository_owner: 'acme', job: 3 });
    provider.down = true;
    try {
      clock.now = 3_600_000;
      expect(await show(`Bearer ${known}`)).toMatchObject(builder);
      expect(statusOf(await stage().show(`Bearer ${known}`))).toBe(503);
    } finally {
      provider.down = false;
    }
  });
});

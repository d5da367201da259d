import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { createOwnTokens } from '../../src/auth/own-tokens.ts';
import { openTokenKeys, type TokenKeys } from '../../src/auth/token-keys.ts';
import type { Authentication, Recognised } from '../../src/domain/authentication.ts';
import { RegistryError } from '../../src/domain/errors.ts';

const BOB: Recognised = {
  principal: { method: 'oidc', user: 'ci:bob', groups: ['ci:dev'], claims: { 'ci:ref': 'main' } },
  proof: 'oidc 1',
};
const SCOPE = {
  type: 'repository',
  name: 'team/app',
  actions: ['pull'],
  covers: ['pull', 'list'],
  repository: 'app',
} as const;
const ACCESS = 'manifix-access+jwt';

async function stage(endpoint = 'team', given?: TokenKeys) {
  const clock = { now: 1_700_000_000_000 };
  const keys =
    given ??
    (await openTokenKeys(
      join(tmpdir(), randomUUID(), 'k'),
      () => clock.now,
      () => undefined,
    ));
  const known = { good: true, asked: 0 };
  const authentication: Authentication = {
    authenticate: async () => ({ refused: new RegistryError('UNAUTHORIZED', { message: 'asked elsewhere' }) }),
    async holds(proof) {
      known.asked += 1;
      return known.good && proof === BOB.proof;
    },
  };
  const own = createOwnTokens({ endpoint, authentication, keys, ttl: 300_000, now: () => clock.now });
  const show = async (token: string) =>
    own.authentication.authenticate({ address: '', authorization: `Bearer ${token}` });
  const isRefused = async (token: string) => {
    const outcome = await show(token);
    return 'refused' in outcome ? outcome.refused.message : 'accepted';
  };
  return { clock, keys, known, issuer: own.issuer, show, isRefused, holds: own.authentication.holds };
}

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const REFUSED = 'authentication required';

describe("a token of manifix's own", () => {
  it('says who its owner is, and for what it was fetched', async () => {
    const { issuer, show, holds } = await stage();
    const { token, until, issuedAt } = await issuer.issue(BOB, [SCOPE]);
    expect(until - issuedAt).toBe(300_000);
    const outcome = await show(token);
    expect(outcome).toMatchObject({ ...BOB, until });
    const covers = 'covers' in outcome ? outcome.covers : undefined;
    expect([
      covers?.('pull', 'app'),
      covers?.('list', 'app'),
      covers?.('push', 'app'),
      covers?.('pull', 'other'),
    ]).toEqual([...[true, true, false, false]]);
    expect([covers?.('list', undefined), await holds('oidc 1')]).toEqual([false, true]);
  });

  it('ends with its time, and with the proof for which it was given', async () => {
    const { clock, issuer, isRefused } = await stage();
    const { token } = await issuer.issue(BOB, []);
    const short = await issuer.issue({ ...BOB, until: clock.now + 60_000 }, []);
    expect(short.until).toBe(clock.now + 60_000);
    clock.now += 60_000;
    expect([await isRefused(token), await isRefused(short.token)]).toEqual(['accepted', REFUSED]);
    clock.now += 240_000;
    expect(await isRefused(token)).toBe(REFUSED);
  });

  it('ends within ten seconds when its owner would not be recognised any more', async () => {
    const { clock, known, issuer, isRefused } = await stage();
    const { token } = await issuer.issue(BOB, []);
    expect([await isRefused(token), await isRefused(token), known.asked]).toEqual(['accepted', 'accepted', 1]);
    known.good = false;
    clock.now += 10_000;
    expect(await isRefused(token)).toBe(REFUSED);
  });

  it('is good at its own endpoint, and of its own kind', async () => {
    const { keys, issuer, show } = await stage();
    const [access, refresh] = [await issuer.issue(BOB, []), await issuer.issueRefresh(BOB)];
    const other = await stage('other', keys);
    expect(await other.isRefused(access.token)).toBe(REFUSED);
    expect(await issuer.refresh(access.token)).toBeUndefined();
    expect(await show(refresh.token)).toHaveProperty('refused');
    expect(await issuer.refresh(refresh.token)).toMatchObject(BOB);
    expect(await issuer.refresh(refresh.token)).not.toHaveProperty('covers');
    expect(await other.issuer.refresh(refresh.token)).toBeUndefined();
  });

  it('is refused with another signature, key, algorithm, beginning or size', async () => {
    const { clock, keys, issuer, isRefused } = await stage();
    const { token } = await issuer.issue(BOB, []);
    const [head = '', payload = '', signature = ''] = token.split('.');
    const { id } = await keys.current();
    const body = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const { privateKey } = generateKeyPairSync('ed25519');
    const signed = (kid: string, claims = body) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', typ: ACCESS, kid }).sign(privateKey);
    const secret = new TextEncoder().encode(
      (await keys.current()).publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    );
    const later = { ...body, nbf: Math.floor(clock.now / 1e3) + 60 };
    const bad = [
      `${encoded({ alg: 'none', typ: ACCESS, kid: id })}.${payload}.`,
      `${encoded({ alg: 'none', typ: ACCESS })}.${payload}.${signature}`,
      await new SignJWT(body).setProtectedHeader({ alg: 'HS256', typ: ACCESS, kid: id }).sign(secret),
      await signed(id),
      await signed('unknown'),
      `${head}.${encoded({ ...body, sub: 'root' })}.${signature}`,
      `${token}x`,
      await new SignJWT(later)
        .setProtectedHeader({ alg: 'EdDSA', typ: ACCESS, kid: id })
        .sign((await keys.current()).privateKey),
      `${head}.${'a'.repeat(40_000)}.${signature}`,
    ];
    for (const one of bad) expect(await isRefused(one)).toBe(REFUSED);
    expect(await isRefused(token)).toBe('accepted');
  });

  it('is told from others, which are asked elsewhere', async () => {
    const { isRefused } = await stage();
    for (const token of ['mfx_1234', 'a.b.c', `${encoded({ alg: 'RS256', typ: 'JWT' })}.e30.x`])
      expect(await isRefused(token)).toBe('asked elsewhere');
  });
});

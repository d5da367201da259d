import { describe, expect, it } from 'vitest';
import { checkRealm, holdsCredentials, isOneSite } from '../../src/domain/realm.ts';

const outcome = (realm: string, registry: string, listed: readonly string[] = []) => {
  const checked = checkRealm(realm, registry, listed);
  return 'url' in checked ? checked.url.href : checked.wrong;
};

describe('credentials may go to a realm', () => {
  it.each([
    ['of the registry itself', 'https://r.example.com/token', 'https://r.example.com'],
    ['that is a path', '/token?x=1', 'https://r.example.com'],
    ['on another port of its host', 'https://r.example.com:8443/token', 'https://r.example.com'],
    ['beside it', 'https://auth.docker.io/token', 'https://registry-1.docker.io'],
    ['above it', 'https://gitlab.com/jwt/auth', 'https://registry.gitlab.com'],
    ['below it', 'https://auth.example.com/t', 'https://example.com'],
    ['beside it in a country with second levels', 'https://a.example.co.uk/t', 'https://b.example.co.uk'],
    ['with a dot at its end', 'https://auth.example.com./t', 'https://r.example.com'],
    ['that is as unencrypted as the registry', 'http://auth.example.com/t', 'http://r.example.com'],
    ['on the same machine', 'http://localhost:5001/t', 'http://127.0.0.1:5000'],
    ['at the same address', 'https://10.0.0.1:8443/t', 'https://10.0.0.1:5000'],
    ['of the same internal site', 'https://auth.corp.local/t', 'https://r.corp.local'],
  ])('%s', (_, realm, registry) => {
    expect(outcome(realm, registry)).toBe(new URL(realm, registry).href);
  });

  it('that the operator listed, wherever it is', () => {
    for (const origin of ['https://auth.other.com', 'http://10.0.0.1:8080']) {
      expect(outcome(`${origin}/t`, 'https://r.example.com', [origin])).toBe(`${origin}/t`);
    }
  });

  it('on the registry itself, encrypted as the registry is, when it only forgets that', () => {
    expect(outcome('http://r.example.com/service/token?a=b#c', 'https://r.example.com:8443')).toBe(
      'https://r.example.com:8443/service/token?a=b',
    );
  });
});

describe('no credentials go to a realm', () => {
  it.each([
    ['of another site', 'https://evil.com/t', 'https://r.example.com', 'does not belong'],
    ['whose name only ends alike', 'https://evilexample.com/t', 'https://example.com', 'does not belong'],
    ['that only begins alike', 'https://example.com.evil.com/t', 'https://example.com', 'does not belong'],
    ['of another owner in a country with second levels', 'https://a.co.uk/t', 'https://b.co.uk', 'does not belong'],
    ['of another tenant', 'https://evil.azurecr.io/t', 'https://mine.azurecr.io', 'does not belong'],
    [
      'of another tenant further down',
      'https://a.s3.amazonaws.com/t',
      'https://b.ecr.amazonaws.com',
      'does not belong',
    ],
    ['of a whole ending', 'https://com/t', 'https://example.com', 'internal'],
    ['at another address', 'https://93.184.216.34/t', 'https://r.example.com', 'does not belong'],
    ['at an internal address', 'https://10.0.0.1/t', 'https://r.example.com', 'internal'],
    ['on this machine', 'https://localhost/t', 'https://r.example.com', 'internal'],
    ['at the service for metadata in decimal', 'https://2852039166/t', 'https://r.example.com', 'internal'],
    ['at an internal address beside an internal registry', 'https://10.0.0.2/t', 'https://10.0.0.1', 'does not belong'],
    ['at a bare name beside another', 'https://auth/t', 'https://registry', 'does not belong'],
    ['without encryption', 'http://auth.example.com/t', 'https://r.example.com', 'not encrypted'],
    ['with a password in it', 'https://u:p@r.example.com/t', 'https://r.example.com', 'credentials in its URL'],
    ['that is no web address', 'ftp://r.example.com/t', 'https://r.example.com', 'not an http'],
    ['that is no URL', 'https://[', 'https://r.example.com', 'not an http'],
  ])('%s', (_, realm, registry, wrong) => {
    expect(outcome(realm, registry)).toContain(wrong);
  });
});

it.each([
  ['registry.example.com', 'registry.example.com', true],
  ['10.0.0.1', '10.0.0.1', true],
  ['a.example.com', 'b.example.com', true],
  ['registry.example.com', 'registry.example.net', false],
  ['10.0.0.1', '10.0.0.2', false],
])('%s and %s belong together: %s', (one, other, expected) => {
  expect(isOneSite(one, other)).toBe(expected);
});

it.each([
  ['https://user@r.example.com/token', true],
  ['https://:secret@r.example.com/token', true],
  ['//user:secret@r.example.com/token', true],
  ['https://r.example.com/token?service=a@b', false],
  ['https://[', false],
  ['a name', false],
])('the realm %s has credentials in it: %s', (realm, expected) => {
  expect(holdsCredentials(realm)).toBe(expected);
});

import { expect, it } from 'vitest';
import {
  basicAuthorization,
  credentialsIn,
  describeAccount,
  withoutCredentials,
  withoutSession,
} from '../../src/domain/credentials.ts';

it('a name and a password are encoded as UTF-8', () => {
  expect(basicAuthorization('Aladdin', 'open sesame')).toBe('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==');
  expect(basicAuthorization('test', '123\u00a3')).toBe('Basic dGVzdDoxMjPCow==');
});

it('an account is described without its secret', () => {
  expect(describeAccount({ kind: 'passthrough' })).toBeUndefined();
  expect(describeAccount({ kind: 'none' })).toBe('without credentials');
  expect(describeAccount({ kind: 'login', username: 'robot', password: 'hunter2' })).toBe('as robot');
  expect(describeAccount({ kind: 'helper', program: 'docker-credential-x', server: 's' })).toBe(
    'with docker-credential-x',
  );
});

it("neither a client's proof of identity nor a registry's session is left", () => {
  const accept = ['Accept', 'a/b'] as const;
  expect(withoutCredentials([['authorization', 'Bearer x'], accept, ['COOKIE', 'sid=1']])).toEqual([accept]);
  expect(withoutSession([['set-cookie', 'sid=1'], accept, ['Www-Authenticate', 'Basic']])).toEqual([accept]);
});

it('what registries take in place of a password is a proof of identity, too, and nothing else is', () => {
  const proofs =
    'Private-Token Job-Token Deploy-Token X-JFrog-Art-Api X-Api-Key X-Auth-Token Cookie Authorization'.split(' ');
  const others = 'Accept User-Agent Via X-Request-Id Docker-Upload-UUID'.split(' ');
  const headers = [...proofs, ...others].map((name) => [name, 'x'] as const);
  expect(credentialsIn(headers).map(([name]) => name)).toEqual(proofs);
  expect(withoutCredentials(headers).map(([name]) => name)).toEqual(others);
});

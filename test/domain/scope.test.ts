import { expect, it } from 'vitest';
import { parseScopes, scopesFor } from '../../src/domain/scope.ts';

it.each([
  ['GET', '/v2/team/app/manifests/1', ['repository:team/app:pull']],
  ['HEAD', '/v2/app/blobs/sha256:00', ['repository:app:pull']],
  ['GET', '/v2/app/tags/list?n=5', ['repository:app:pull']],
  ['GET', '/v2/app/referrers/sha256:00', ['repository:app:pull']],
  ['PUT', '/v2/app/manifests/1', ['repository:app:pull,push']],
  ['PATCH', '/v2/app/blobs/uploads/id?_state=x', ['repository:app:pull,push']],
  ['POST', '/v2/app/blobs/uploads', ['repository:app:pull,push']],
  ['POST', '/v2/app/blobs/uploads/?mount=sha256:00&from=', ['repository:app:pull,push']],
  [
    'POST',
    '/v2/app/blobs/uploads/?mount=sha256%3A00&from=other%2Fapp',
    ['repository:app:pull,push', 'repository:other/app:pull'],
  ],
  ['DELETE', '/v2/app/manifests/sha256:00', ['repository:app:delete']],
  ['GET', '/v2/_catalog?n=1', ['registry:catalog:*']],
  ['GET', '/v2/', []],
  ['GET', '/v2/_ext/search', []],
])('%s %s needs %j', (method, path, scopes) => {
  expect(scopesFor(method, path)).toEqual(scopes);
});

it('scopes of a challenge are separated by blanks, and none is none', () => {
  expect(parseScopes('repository:a:pull  repository:b:pull,push')).toEqual([
    'repository:a:pull',
    'repository:b:pull,push',
  ]);
  expect(parseScopes(undefined)).toEqual([]);
});

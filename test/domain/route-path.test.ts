import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { RepositoryName, Tag } from '../../src/domain/reference.ts';
import type { Route } from '../../src/domain/route.ts';
import { formatRoute, referenceIn, repositoryInPath } from '../../src/domain/route-path.ts';

const repository = 'team/app' as RepositoryName;
const digest = digestOf(new Uint8Array());

describe('formatRoute', () => {
  it.each<[Route, string]>([
    [{ kind: 'base' }, '/v2/'],
    [{ kind: 'catalog' }, '/v2/_catalog'],
    [{ kind: 'manifest', repository, reference: { kind: 'tag', tag: 'v1' as Tag } }, '/v2/team/app/manifests/v1'],
    [{ kind: 'manifest', repository, reference: { kind: 'digest', digest } }, `/v2/team/app/manifests/${digest}`],
    [{ kind: 'blob', repository, digest }, `/v2/team/app/blobs/${digest}`],
    [{ kind: 'upload-start', repository, trailingSlash: true }, '/v2/team/app/blobs/uploads/'],
    [{ kind: 'upload-start', repository, trailingSlash: false }, '/v2/team/app/blobs/uploads'],
    [{ kind: 'upload', repository, id: 'a%2Fb' }, '/v2/team/app/blobs/uploads/a%2Fb'],
    [{ kind: 'tags', repository }, '/v2/team/app/tags/list'],
    [{ kind: 'referrers', repository, digest }, `/v2/team/app/referrers/${digest}`],
    [{ kind: 'other', path: '/v2/_extension/x' }, '/v2/_extension/x'],
  ])('gives %j its path', (route, path) => {
    expect(formatRoute(route)).toBe(path);
  });
});

describe('what a route is about', () => {
  it.each<[Route, string | undefined]>([
    [{ kind: 'manifest', repository, reference: { kind: 'tag', tag: 'v1' as Tag } }, 'v1'],
    [{ kind: 'manifest', repository, reference: { kind: 'digest', digest } }, digest],
    [{ kind: 'blob', repository, digest }, digest],
    [{ kind: 'referrers', repository, digest }, digest],
    [{ kind: 'tags', repository }, undefined],
    [{ kind: 'base' }, undefined],
  ])('%j is %s', (route, reference) => {
    expect(referenceIn(route)).toBe(reference);
  });
});

describe('the repository in a path', () => {
  it.each([
    ['/v2/team/app/manifests/1', 'team/app'],
    [`/v2/team/app/blobs/${digest}`, 'team/app'],
    ['/v2/app/blobs/uploads/', 'app'],
    ['/v2/app/tags/list?n=5', 'app'],
    [`/v2/app/referrers/${digest}`, 'app'],
    ['/v2/blobs/manifests/manifests/1', 'blobs'],
  ])('of %s is %s', (path, name) => {
    expect(repositoryInPath(path)).toBe(name);
  });

  it.each(['/v2/', '/v2/_catalog', '/v2/app', '/token', '/v2/app/manifestsx/1'])('of %s is none', (path) => {
    expect(repositoryInPath(path)).toBeUndefined();
  });
});

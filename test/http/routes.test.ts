import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import type { Route } from '../../src/domain/route.ts';
import { formatRoute } from '../../src/domain/route-path.ts';
import { originForm, parseTarget } from '../../src/http/routes.ts';
import {
  blobRoute,
  manifestRoute,
  repositoryName,
  someDigest,
  uploadRoute,
  uploadStartRoute,
} from '../support/views.ts';

const repository = repositoryName('team/app');
const encoded = someDigest.replace(':', '%3A');

/** The error that a target is refused with. */
function refusal(target: string): RegistryError {
  try {
    parseTarget(target);
  } catch (error) {
    if (error instanceof RegistryError) return error;
    throw error;
  }
  throw new Error(`not refused: ${target}`);
}

describe('a request target', () => {
  it.each<[string, Route]>([
    ['/v2', { kind: 'base' }],
    ['/v2/', { kind: 'base' }],
    ['/v2/_catalog', { kind: 'catalog' }],
    ['/v2/team/app/manifests/latest', manifestRoute('latest')],
    [`/v2/team/app/manifests/${someDigest}`, manifestRoute(someDigest)],
    [`/v2/team/app/manifests/${encoded}`, manifestRoute(someDigest)],
    [`/v2/team/app/blobs/${someDigest}`, blobRoute()],
    [`/v2/team/app/blobs/${encoded.replace('3A', '3a')}`, blobRoute()],
    ['/v2/team/app/blobs/uploads/', uploadStartRoute(true)],
    ['/v2/team/app/blobs/uploads', uploadStartRoute(false)],
    ['/v2/team/app/blobs/uploads/b0a2-c7~de=', uploadRoute('b0a2-c7~de=')],
    ['/v2/team/app/blobs/uploads/a%3Db', uploadRoute('a%3Db')],
    ['/v2/team/app/tags/list', { kind: 'tags', repository }],
    [`/v2/team/app/referrers/${someDigest}`, { kind: 'referrers', repository, digest: someDigest }],
    ['/v2/_oci/ext/discover', { kind: 'other', path: '/v2/_oci/ext/discover' }],
    ['/v2/team/app/', { kind: 'other', path: '/v2/team/app/' }],
  ])('%s is what it looks like', (target, route) => {
    expect(parseTarget(target)).toEqual({ route, query: '' });
  });

  it.each<[string, Route]>([
    ['/v2/manifests/manifests/manifests', manifestRoute('manifests', 'manifests')],
    ['/v2/a/manifests/b/manifests/latest', manifestRoute('latest', 'a/manifests/b')],
    [`/v2/a/blobs/uploads/blobs/${someDigest}`, blobRoute(someDigest, 'a/blobs/uploads')],
    ['/v2/a/blobs/uploads/manifests/latest', manifestRoute('latest', 'a/blobs/uploads')],
    ['/v2/a/blobs/uploads/blobs/uploads/', uploadStartRoute(true, 'a/blobs/uploads')],
    ['/v2/tags/list/tags/list', { kind: 'tags', repository: repositoryName('tags/list') }],
    ['/v2/blobs/manifests/blobs', manifestRoute('blobs', 'blobs')],
    ['/v2/v2/manifests/v2', manifestRoute('v2', 'v2')],
  ])('%s has a name made of words that mean something elsewhere', (target, route) => {
    expect(parseTarget(target).route).toEqual(route);
  });

  it('keeps its query byte for byte from the first question mark on', () => {
    expect(parseTarget('/v2/team/app/blobs/uploads/id?_state=a%2Bb&x=?digest=sha256:0?&#')).toEqual({
      route: uploadRoute('id'),
      query: '_state=a%2Bb&x=?digest=sha256:0?&#',
    });
    expect(parseTarget('/v2/?').query).toBe('');
    expect(parseTarget('/v2/_catalog?../../x').query).toBe('../../x');
  });
});

describe('a path that is written in another way than registries know it', () => {
  it.each<[string, Route]>([
    ['//v2/', { kind: 'base' }],
    ['/v2//', { kind: 'base' }],
    ['/v2/_catalog/', { kind: 'catalog' }],
    ['/v2/team/app/tags/list/', { kind: 'tags', repository }],
    ['/v2/team%2Fapp/tags/list', { kind: 'tags', repository }],
    ['/v2//team//app/manifests/latest', manifestRoute('latest')],
    ['/v2/team/app/manifests//latest', manifestRoute('latest')],
    ['/v2/team%2fapp/manifests/latest/', manifestRoute('latest')],
    [`/v2/team%2Fapp%2Fblobs%2F${encoded}`, blobRoute()],
    ['/v2/team%2Fapp/blobs/uploads/', uploadStartRoute(true)],
    ['/v2/team/app//blobs/uploads', uploadStartRoute(false)],
  ])('%s is read as it was meant, unless that is not wanted', (target, route) => {
    expect(parseTarget(`${target}?n=1`)).toEqual({ route, query: 'n=1', respelled: true });
    const read = () => parseTarget(target, 'asWritten').route;
    if (/\/\/|%2f/i.test(target)) expect(read).toThrow(RegistryError);
    else expect(read()).toEqual({ kind: 'other', path: target });
  });
});

describe('a path that servers read differently (path-traversal)', () => {
  const paths = [
    '/v2/../etc/passwd',
    '/v2/a/../b/manifests/x',
    '/v2/a/./manifests/x',
    '/v2/..',
    '/v2/.',
    '/v2/a/manifests/..',
    '/v2/a/blobs/uploads/..',
    '/v2/%2e%2e/a/manifests/x',
    '/v2/a/%2E./manifests/x',
    '/v2/a/manifests/x%2F..%2Fy',
    '/v2/a/blobs/uploads/x%2f..%2f..',
    '/v2/a/manifests/x%00',
    '/v2/a/manifests/x%0a',
    '/v2/extension%0d%0aX: y',
    '/v2/a/manifests/%7f',
    '/v2/a/manifests/x%25',
    '/v2/a/manifests/%252e%252e',
    '/v2/a/manifests/x%5cy',
    '/v2/a\\b/manifests/x',
    '/v2/a/manifests/x\u0000',
    '/v2/a/manifests/x\r\nHost: y',
    '/v2/a b/manifests/x',
    '/v2/ä/manifests/x',
    '/v2/a/manifests/x#y',
    '/v2/a/manifests/%',
    '/v2/a/manifests/%4',
    '/v2/a/manifests/%zz',
    '/v2//manifests/x',
    '//other/',
    '/v2/a%2f%2fb/manifests/x',
    '/v2/a/%2fb/manifests/x',
    '/v2/a/..%2fb/manifests/x',
    '/v2/a%2fb/blobs/uploads/b0a2',
    '/v2//_oci/ext/discover',
    '/v2/_oci%2fext',
    '*',
    '',
    'v2/',
    '/v2/?a b',
    '/v2/?a\u0000',
    '/v2/?ä',
  ];

  it.each(paths)('is refused with an explanation: %j', (path) => {
    expect(refusal(path)).toMatchObject({ code: 'NAME_INVALID', status: 400, fix: 'path-traversal' });
  });

  it('is refused before anything is read when it is overlong', () => {
    expect(refusal(`/v2/${'a/'.repeat(8200)}manifests/x`)).toMatchObject({ code: 'NAME_INVALID', status: 414 });
    expect(parseTarget(`/v2/team/app/blobs/uploads/${'a'.repeat(8000)}`).route.kind).toBe('upload');
  });
});

describe('names, tags and digests outside the grammar', () => {
  it.each([
    '/v2/Team/manifests/x',
    '/v2/-a/manifests/x',
    '/v2/a../manifests/x',
    '/v2/te%61m/tags/list',
    `/v2/A/blobs/${someDigest}`,
    '/v2/a_/blobs/uploads/',
    '/v2/a$b/blobs/uploads/id',
    `/v2/${'a'.repeat(256)}/manifests/x`,
  ])('are refused as a name: %s', (target) => {
    expect(refusal(target)).toMatchObject({ code: 'NAME_INVALID', status: 400 });
  });

  it.each(['.x', '-x', 'a+b', 'a%20b', 'a@b', 'x'.repeat(129), '%e4', '%ff'])('are refused as a tag: %s', (tag) => {
    expect(refusal(`/v2/a/manifests/${tag}`)).toMatchObject({ code: 'MANIFEST_UNKNOWN', status: 404 });
  });

  it.each([
    `/v2/a/manifests/sha256:${'A'.repeat(64)}`,
    '/v2/a/manifests/sha256:abc',
    '/v2/a/manifests/md5%3Aabc',
    '/v2/a/blobs/latest',
    '/v2/a/blobs/uploadsx',
    `/v2/a/blobs/${someDigest}0`,
    '/v2/a/referrers/latest',
  ])('are refused as a digest: %s', (target) => {
    expect(refusal(target)).toMatchObject({ code: 'DIGEST_INVALID', status: 400 });
  });

  it.each(['/', '/v1/', '/v20/', '/V2/', '/metrics', '/token?service=x'])(
    'are not found outside /v2/: %s',
    (target) => {
      expect(refusal(target)).toMatchObject({ code: 'NAME_UNKNOWN', status: 404 });
    },
  );
});

const decoded = (path: string) =>
  path.replace(/%([0-9a-f]{2})/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));

describe('any target', () => {
  const pieces = fc.constantFrom(
    ...[
      '/',
      '/v2/',
      'a',
      'a/b',
      '/manifests/',
      '/blobs/',
      'uploads',
      '/uploads/',
      '/tags/list',
      '/referrers/',
      someDigest,
    ],
    ...[
      'latest',
      '..',
      '.',
      '%2e',
      '%2F',
      '%3A',
      '%61',
      '%25',
      '?',
      '#',
      '\\',
      '\u0000',
      'ä',
      '_catalog',
      '~',
      ':',
      '@',
    ],
  );
  const targets = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pieces, { maxLength: 12 }).map((parts) => `/v2/${parts.join('')}`),
  );

  it('is either refused with an error of the table or read into a route that is written the same way again', () => {
    fc.assert(
      fc.property(targets, (target) => {
        let parsed: ReturnType<typeof parseTarget>;
        try {
          parsed = parseTarget(target);
        } catch (error) {
          expect(error).toBeInstanceOf(RegistryError);
          return;
        }
        const [path = ''] = target.split('?', 1);
        const written = formatRoute(parsed.route);
        expect(parseTarget(written).route).toEqual(parsed.route);
        expect(parsed.respelled === true || decoded(written) === (path === '/v2' ? '/v2/' : decoded(path))).toBe(true);
        expect(written).not.toMatch(/\/\.{0,2}\/|[\\#?]|\/\.{1,2}$/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the absolute form of a target', () => {
  it.each([
    ['http://h.test:5000/v2/?a', '/v2/?a'],
    ['HTTPS://user:secret@h.test/v2/x', '/v2/x'],
    ['http://h.test', '/'],
    ['/v2/', '/v2/'],
    ['/http://h.test/v2/', '/http://h.test/v2/'],
    ['*', '*'],
  ])('%s loses its authority', (target, origin) => {
    expect(originForm(target)).toBe(origin);
  });
});

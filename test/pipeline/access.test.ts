import { beforeEach, describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { hasReadAccess, proveReadAccess, readHeaders, recordReadAccess } from '../../src/pipeline/access.ts';
import type { Exchange } from '../../src/pipeline/exchange.ts';
import { errorAnswer, type FakeUpstream, fakeUpstream } from '../support/fake-upstream.ts';
import { type FakeServices, fakeServices } from '../support/fakes.ts';
import { fakeEndpoint, fakeExchange } from '../support/scene.ts';
import { repositoryName, someDigest } from '../support/views.ts';

const repository = repositoryName('team/app');
const path = `/v2/team/app/blobs/${someDigest}`;

let services: FakeServices;
let upstream: FakeUpstream;

const as = (...headers: HeaderList): Exchange => fakeExchange(fakeEndpoint(upstream), 'GET', path, headers);
const alice = () => as(['Authorization', 'Basic YTph']);
const anonymous = () => as();
const has = (exchange: Exchange) => hasReadAccess(services, exchange, repository, 'blob', someDigest);
const prove = (exchange: Exchange) => proveReadAccess(services, exchange, repository, 'blob', someDigest);
const record = (exchange: Exchange) => recordReadAccess(services, exchange, repository, 'blob', someDigest);
const link = () => services.facts.link('registry', repository, 'blob', someDigest);

beforeEach(() => {
  services = fakeServices();
  upstream = fakeUpstream();
});

describe('the right to read', () => {
  it('is known for the caller who was seen to read, for this content and kind only', () => {
    record(alice());
    expect(has(alice())).toBe(true);
    expect(has(anonymous())).toBe(false);
    expect(has(as(['Authorization', 'Basic Yjpi']))).toBe(false);
    expect(hasReadAccess(services, alice(), repository, 'manifest', someDigest)).toBe(false);
    expect(hasReadAccess(services, alice(), repositoryName('team/other'), 'blob', someDigest)).toBe(false);
  });

  it('makes content open once a caller without credentials read it, and not private by anybody else who reads it', () => {
    record(alice());
    expect(link()).toBe('private');
    record(anonymous());
    expect(link()).toBe('open');
    record(alice());
    expect(link()).toBe('open');
  });

  it('is proved by asking the registry, with HEAD and the fields of the client', async () => {
    upstream.on('HEAD', path, { status: 200, headers: [['Docker-Content-Digest', someDigest]] });
    expect(await prove(as(['Authorization', 'Basic YTph'], ['X-Odd', '1']))).toEqual({ outcome: 'allowed' });
    expect(upstream.requests[0]?.headers).toEqual([['Authorization', 'Basic YTph']]);
    expect(await prove(alice())).toEqual({ outcome: 'allowed' });
    expect(upstream.requests).toHaveLength(1);
  });

  it.each([
    ['a page', [['Content-Type', 'text/html; charset=utf-8']]],
    ['other content', [['Docker-Content-Digest', `sha256:${'0'.repeat(64)}`]]],
  ] satisfies [string, HeaderList][])('is not proved by a 200 that is about %s', async (_, headers) => {
    upstream.on('HEAD', path, { status: 200, headers });
    expect(await prove(alice())).toMatchObject({ outcome: 'unreachable', error: { status: 502 } });
    expect(has(alice())).toBe(false);
  });

  it.each([401, 403, 404])('is refused with the status %s of the registry', async (status) => {
    record(anonymous());
    upstream.on('GET HEAD', path, errorAnswer(status, 'DENIED', 'no', [['WWW-Authenticate', 'Basic']]));
    const access = await prove(alice());
    expect(access).toMatchObject({ outcome: 'refused', status });
    expect(access).toHaveProperty('headers', expect.arrayContaining([['WWW-Authenticate', 'Basic']]));
    expect(link()).toBe(status === 404 ? undefined : 'open');
  });

  it.each([401, 403])(
    'makes content private again that is refused with %s to a caller without credentials',
    async (status) => {
      record(anonymous());
      services = { ...services, grants: fakeServices().grants };
      upstream.on('GET HEAD', path, errorAnswer(status, 'DENIED'));
      expect(await prove(anonymous())).toMatchObject({ outcome: 'refused', status });
      expect(link()).toBe('private');
    },
  );

  it.each([
    ['does not answer', undefined, 502],
    ['answers 500', 500, 500],
    ['answers 429', 429, 429],
  ])('stays with open content when the registry %s, and nobody gains a grant', async (_, status, seen) => {
    if (status === undefined) upstream.down = true;
    else upstream.on('HEAD', path, errorAnswer(status, 'UNKNOWN', 'no', [['Retry-After', '3']]));
    expect(await prove(alice())).toMatchObject({ outcome: 'unreachable', error: { status: seen } });
    services.facts.putLink('registry', repository, 'blob', someDigest, 'private');
    expect(await prove(alice())).toMatchObject({ outcome: 'unreachable' });
    services.facts.putLink('registry', repository, 'blob', someDigest, 'open');
    expect(await prove(alice())).toEqual({ outcome: 'allowed' });
    expect(has(alice())).toBe(false);
  });

  it('does not hide a mistake of ours behind an outage', async () => {
    upstream.on('HEAD', path, () => {
      throw new TypeError('broken');
    });
    await expect(prove(alice())).rejects.toThrow('broken');
  });
});

describe('the header fields of a read', () => {
  it('are a closed list, so that no odd field shapes what is kept for all', () => {
    const names = [
      'accept',
      'AUTHORIZATION',
      'User-Agent',
      'Cookie',
      'X-JFrog-Art-Api',
      'X-Forwarded-For',
      'Accept-Encoding',
      'Range',
      'Host',
      'If-None-Match',
    ];
    expect(readHeaders(names.map((name) => [name, '1'])).map(([name]) => name)).toEqual(names.slice(0, 5));
  });
});

describe('simultaneous questions', () => {
  it('of one caller are asked once, and of two callers twice', async () => {
    upstream.on('HEAD', path, { status: 200, headers: [] });
    const answers = await Promise.all([alice(), alice(), anonymous(), alice(), anonymous()].map(prove));
    expect(answers).toEqual(Array(5).fill({ outcome: 'allowed' }));
    expect(upstream.requests).toHaveLength(2);
  });
});

import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import type { ResponseView } from '../../src/fixes/fix.ts';
import { locationOrigin } from '../../src/fixes/location-origin.ts';
import {
  blobRoute,
  manifestRoute,
  requestView,
  responseView,
  uploadRoute,
  uploadStartRoute,
} from '../support/views.ts';

const client = 'http://manifix.test:5000';
const upstream = 'http://registry.test:5001';
const session = '/v2/team/app/blobs/uploads/b0a2c7de?_state=a-_%3D%3D&x=%2F';

const opened: Partial<ResponseView> = {
  request: requestView({ method: 'POST', route: uploadStartRoute() }),
  status: 202,
};
const sealed = (url: string) => `${client}${responseView().sealLocation(url)}`;

function apply(headers: HeaderList, overrides: Partial<ResponseView> = opened) {
  return locationOrigin.response?.(responseView({ headers, ...overrides }), {});
}

describe('location-origin', () => {
  it.each([
    ['the registry itself', `${upstream}${session}`],
    ['a path', session],
    ['the registry with the other scheme', `https://registry.test:5001${session}`],
    ['the registry without its port', `http://registry.test${session}`],
    ['a list of schemes', `https,http://registry.test:5001${session}`],
    ['no scheme', `//registry.test:5001${session}`],
    ['manifix with the other scheme', `https://manifix.test:5000${session}`],
    ['a name that only the registry knows', `http://registry.internal${session}`],
    ['a name that only the registry knows, in a list of schemes', `https,http://10.0.0.5:5000${session}`],
    ['a file name', 'b0a2c7de?_state=a-_%3D%3D&x=%2F'],
  ])('leads back through manifix, byte for byte behind the host, from %s', (_, location) => {
    const change = apply([
      ['Range', '0-0'],
      ['location', location],
    ]);
    expect(change).toEqual({
      note: 'Location leads back through manifix',
      headers: [
        ['Range', '0-0'],
        ['Location', `${client}${session}`],
      ],
    });
    expect(apply(change?.headers ?? [])).toBeUndefined();
  });

  it.each([
    ['another host', 'https://storage.test/bucket?sig=a%2Fb', 'https://storage.test/bucket?sig=a%2Fb'],
    ['another host with a list of schemes', 'https,http://storage.test/b', 'https://storage.test/b'],
    [
      'another repository of another host',
      'http://10.0.0.5/v2/x/blobs/uploads/1',
      'http://10.0.0.5/v2/x/blobs/uploads/1',
    ],
    ['another path of the registry', `${upstream}/artifacts-uploads/1`, `${upstream}/artifacts-uploads/1`],
    ['another path', '/artifacts-uploads/1?a=b', `${upstream}/artifacts-uploads/1?a=b`],
    ['another path of what the registry takes for itself', `${client}/up/1`, `${upstream}/up/1`],
    ['a lost port and another path', 'http://registry.test/up/1', 'http://registry.test/up/1'],
  ])('hides %s behind an upload path of its own', (_, location, target) => {
    const change = apply([['Location', location]]);
    expect(change?.headers).toEqual([['Location', sealed(target)]]);
    expect(change?.note).toBe('Location leads back through manifix');
    expect(apply(change?.headers ?? [])).toBeUndefined();
  });

  it('takes a redirect to the same path of another host for what it is', () => {
    const elsewhere = `https://eu.registry.test${session}`;
    expect(apply([['Location', elsewhere]], { ...opened, status: 307 })?.headers).toEqual([
      ['Location', sealed(elsewhere)],
    ]);
    expect(apply([['Location', elsewhere]], { request: requestView({ route: { kind: 'base' } }) })).toBeUndefined();
  });

  it('knows that a PATCH never ends an upload, even where it is answered with 201', () => {
    const patched = { request: requestView({ method: 'PATCH', route: uploadRoute() }), status: 201 };
    expect(apply([['Location', 'https://storage.test/b']], patched)?.headers).toEqual([
      ['Location', sealed('https://storage.test/b')],
    ]);
  });

  it('keeps exactly one Location', () => {
    const right: HeaderList[number] = ['Location', `${client}${session}`];
    expect(apply([right, ['Location', '/other']])).toEqual({ note: 'kept one Location', headers: [right] });
    expect(
      apply([
        ['Location', ''],
        ['Location', session],
      ])?.headers,
    ).toEqual([right]);
  });

  it.each([
    ['opened', opened],
    ['continued', { request: requestView({ method: 'PATCH', route: uploadRoute() }), status: 202 }],
  ])('refuses an upload that was %s without a Location', (_, overrides) => {
    const change = apply([['Location', '']], overrides);
    expect(change?.note).toBe('refused an upload without Location');
    expect(change?.refuse).toMatchObject({ code: 'UNKNOWN', status: 502, fix: 'location-origin' });
    expect(change?.refuse?.explanation).toContain('did not say in a Location header where it goes on');
  });

  it('does not ask for a Location where the client needs none', () => {
    const put = requestView({ method: 'PUT', route: uploadRoute() });
    expect(apply([], { request: put, status: 201 })).toBeUndefined();
    expect(apply([], { request: put, status: 202 })).toBeUndefined();
    expect(apply([], { ...opened, status: 201 })).toBeUndefined();
    expect(apply([], { request: requestView({ method: 'POST', route: blobRoute() }), status: 202 })).toBeUndefined();
    expect(
      apply([], { request: requestView({ method: 'PATCH', route: manifestRoute() }), status: 202 }),
    ).toBeUndefined();
  });

  it('leaves foreign addresses alone where no upload goes on', () => {
    const foreign: HeaderList = [['Location', 'https://storage.test/v2/x']];
    expect(apply(foreign, { status: 307 })).toBeUndefined();
    expect(apply(foreign, { ...opened, status: 201 })).toBeUndefined();
    expect(apply([['Location', '/login']], { status: 302 })).toBeUndefined();
    expect(apply([['Location', 'ftp://registry.test:5001/v2/']])).toBeUndefined();
  });

  it('corrects where a stored blob or manifest is', () => {
    const location = `${upstream}/v2/team/app/blobs/sha256:ab`;
    const change = apply([['Location', location]], {
      request: requestView({ method: 'PUT', route: uploadRoute() }),
      status: 201,
    });
    expect(change?.headers).toEqual([['Location', `${client}/v2/team/app/blobs/sha256:ab`]]);
  });
});

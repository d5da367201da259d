import { describe, expect, it } from 'vitest';
import type { RequestView } from '../../src/fixes/fix.ts';
import { uploadsNoTrailingSlash } from '../../src/fixes/uploads-no-trailing-slash.ts';
import { manifestRoute, requestView, uploadStartRoute } from '../support/views.ts';

const curl = [['User-Agent', 'curl/7.88.1']] as const;

function apply(overrides: Partial<RequestView> = {}, answer = 'auto') {
  const view = requestView({ method: 'POST', route: uploadStartRoute(false), ...overrides });
  return uploadsNoTrailingSlash.request?.(view, { answer });
}

const redirect = (location: string) => ({
  note: 'answered 308 with the slash behind /blobs/uploads',
  reply: {
    status: 308,
    headers: [
      ['Docker-Distribution-Api-Version', 'registry/2.0'],
      ['Location', location],
      ['Content-Length', '0'],
    ],
  },
});
const rewritten = { note: 'added the slash behind /blobs/uploads', route: uploadStartRoute(true) };

describe('uploads-no-trailing-slash', () => {
  it('sends curl to the address with the slash, so that -L shows it two answers', () => {
    expect(apply({ headers: curl })).toEqual(redirect('/v2/team/app/blobs/uploads/'));
  });

  it('keeps the query of a redirected request byte for byte', () => {
    expect(apply({ headers: curl, query: 'mount=sha256%3Aab&from=x' })).toEqual(
      redirect('/v2/team/app/blobs/uploads/?mount=sha256%3Aab&from=x'),
    );
  });

  it('opens the upload at once for every other client', () => {
    expect(apply()).toEqual(rewritten);
    expect(apply({ headers: [['user-agent', 'Java/17 curl/8']] })).toEqual(rewritten);
  });

  it('knows curl by what the client sent, whatever is sent on', () => {
    expect(apply({ headers: [], clientHeaders: curl })?.reply?.status).toBe(308);
  });

  it.each([
    ['rewrite', curl, rewritten],
    ['redirect', [], redirect('/v2/team/app/blobs/uploads/')],
  ] as const)('does one thing for everybody with answer: %s', (answer, headers, expected) => {
    expect(apply({ headers }, answer)).toEqual(expected);
  });

  it('leaves healthy requests and other addresses alone', () => {
    expect(apply({ route: uploadStartRoute(true), headers: curl })).toBeUndefined();
    expect(apply({ method: 'GET' })).toBeUndefined();
    expect(apply({ route: manifestRoute() })).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import type { ResponseView } from '../../src/fixes/fix.ts';
import { uploadNoDigestHeader } from '../../src/fixes/upload-no-digest-header.ts';
import {
  manifestRoute,
  requestView,
  responseView,
  someDigest,
  uploadRoute,
  uploadStartRoute,
} from '../support/views.ts';

const query = `_state=x&digest=${someDigest}`;
const put = requestView({ method: 'PUT', route: uploadRoute(), query });
const post = requestView({ method: 'POST', route: uploadStartRoute(), query: `digest=${someDigest}`, hasBody: true });
const location = ['Location', `http://manifix.test:5000/v2/team/app/blobs/${someDigest}`] as const;
const digest = ['Docker-Content-Digest', someDigest] as const;

const apply = (headers: HeaderList, overrides: Partial<ResponseView> = {}) =>
  uploadNoDigestHeader.response?.(responseView({ request: put, status: 201, headers, ...overrides }), {});

describe('upload-no-digest-header', () => {
  it('names the blob in the answer to the PUT that finishes it', () => {
    const change = apply([]);
    expect(change).toEqual({ note: 'named the blob that was stored', headers: [digest, location] });
    expect(apply(change?.headers ?? [])).toBeUndefined();
  });

  it('adds only what is missing', () => {
    expect(apply([location])?.headers).toEqual([location, digest]);
    expect(apply([digest])?.headers).toEqual([digest, location]);
  });

  it('replaces a Location that does not lead through manifix', () => {
    expect(apply([digest, ['Location', 'https://storage.test/b']])?.headers).toEqual([digest, location]);
  });

  it.each([200, 204])('names the digest with %s as well, where no Location is due', (status) => {
    expect(apply([], { status })?.headers).toEqual([digest]);
  });

  it('answers a single POST like the PUT that it was made into', () => {
    expect(apply([], { request: post, sent: put })?.headers).toEqual([digest, location]);
    expect(apply([], { request: post, sent: { ...post, query: '' } })?.headers).toEqual([digest, location]);
  });

  it('reads a digest that the client wrote in another form', () => {
    const request = { ...put, query: `digest=sha256%3A${'AB'.repeat(32)}%0A` };
    expect(apply([], { request, sent: request })?.headers).toEqual([digest, location]);
  });

  it('leaves healthy answers, unfinished uploads, errors and other requests alone', () => {
    expect(apply([digest, ['Location', 'http://manifix.test:5000/v2/team/app/blobs/x']])).toBeUndefined();
    expect(apply([], { status: 202 })).toBeUndefined();
    expect(apply([], { status: 400 })).toBeUndefined();
    expect(apply([], { request: post, sent: post, status: 202 })).toBeUndefined();
    expect(
      apply([], { request: requestView({ method: 'POST', route: uploadStartRoute(), query: 'mount=x' }) }),
    ).toBeUndefined();
    expect(apply([], { request: { ...put, method: 'PATCH' } })).toBeUndefined();
    expect(apply([], { request: { ...put, route: manifestRoute() } })).toBeUndefined();
    expect(apply([], { request: { ...post, route: manifestRoute() } })).toBeUndefined();
  });
});

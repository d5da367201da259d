import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import type { Allowance } from '../../src/pipeline/ports-limits.ts';
import { createUploadDigests } from '../../src/pipeline/upload-digests.ts';
import { limitUpload } from '../../src/pipeline/upload-limit.ts';
import { observeUpload, sessionKey } from '../../src/pipeline/upload-session.ts';
import { fakeUpstream } from '../support/fake-upstream.ts';
import { fakeEndpoint, fakeExchange } from '../support/scene.ts';

const LIMIT = 1_000;
const target = '/v2/app/blobs/uploads/some-session';

const allowance: Allowance = {
  upload: LIMIT,
  uploadTooLarge: (received, announced) => new RegistryError('SIZE_INVALID', { detail: { received, announced } }),
  enterFill: async () => () => undefined,
  pace: () => undefined,
};

function step(method: string, headers: HeaderList = []) {
  return { ...fakeExchange(fakeEndpoint(fakeUpstream()), method, target, headers), allowance };
}

const tooLarge = (received: number, announced?: number) =>
  expect.objectContaining({ code: 'SIZE_INVALID', detail: { received, announced } });

describe('an upload with a limit', () => {
  it('is stopped by the piece that is too much, and by no other', () => {
    const limited = limitUpload(createUploadDigests(), step('PATCH'));
    limited.count?.(Buffer.alloc(LIMIT));
    expect(limited.exchange.signal.aborted).toBe(false);
    limited.count?.(Buffer.alloc(1));
    expect(limited.exchange.signal.reason).toEqual(tooLarge(LIMIT + 1));
    limited.count?.(Buffer.alloc(1));
    expect(limited.exchange.signal.reason).toEqual(tooLarge(LIMIT + 1));
  });

  it('ends with its client as well', () => {
    const gone = new AbortController();
    const limited = limitUpload(createUploadDigests(), { ...step('PATCH'), signal: gone.signal });
    gone.abort(new Error('gone'));
    expect(limited.exchange.signal.reason).toEqual(new Error('gone'));
  });

  it('counts what a chunk says of its place when its beginning is not known here', () => {
    const chunk = (range: string) =>
      step('PATCH', [
        ['Content-Range', range],
        ['Content-Length', '1'],
      ]);
    const uploads = createUploadDigests();
    expect(() => limitUpload(uploads, chunk('999-999'))).not.toThrow();
    for (const range of ['1000-1000', 'bytes 1000-1000/*', 'bytes=1000-1000']) {
      expect(() => limitUpload(uploads, chunk(range))).toThrow(tooLarge(1_000, 1_001));
    }
  });

  it('is as large as it became when the next request comes', () => {
    const uploads = createUploadDigests();
    const first = step('PATCH');
    uploads.opened(sessionKey(first, 'app', 'some-session'));
    const limited = limitUpload(uploads, first);
    const observer = observeUpload(uploads, limited.exchange, first.request, limited.count);
    observer?.observe(Buffer.alloc(LIMIT + 1));
    limited.remember(first.request, observer);
    expect(() => limitUpload(uploads, step('PUT'))).toThrow(tooLarge(LIMIT + 1, LIMIT + 1));
    // How far it came may still be asked, and it may be given up.
    expect(() => limitUpload(uploads, step('GET'))).not.toThrow();
    expect(() => limitUpload(uploads, step('DELETE'))).not.toThrow();
  });

  it('costs nothing without one', () => {
    for (const given of [undefined, { ...allowance, upload: undefined }]) {
      const exchange = { ...step('PATCH', [['Content-Length', '1000000']]), allowance: given };
      const limited = limitUpload(createUploadDigests(), exchange);
      expect([limited.exchange, limited.count]).toEqual([exchange, undefined]);
    }
  });
});

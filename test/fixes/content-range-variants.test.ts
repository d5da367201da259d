import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { contentRangeVariants } from '../../src/fixes/content-range-variants.ts';
import type { RequestView } from '../../src/fixes/fix.ts';
import { requestView, uploadRoute, uploadStartRoute } from '../support/views.ts';

const patch = requestView({ method: 'PATCH', route: uploadRoute(), query: '_state=x', hasBody: true });
const REFUSE = { misplaced: 'refuse' };
const length = ['Content-Length', '10'] as const;
const range = (value: string) => ['Content-Range', value] as const;

const apply = (headers: HeaderList, overrides: Partial<RequestView> = {}, options = REFUSE) =>
  contentRangeVariants.request?.({ ...patch, headers, ...overrides }, options);

describe('content-range-variants', () => {
  it.each(['bytes 0-9/10', 'bytes=0-9', '0-9/10', 'Bytes 0-9/*', '0 - 9', '0-10', '0-4'])(
    'writes %s as the first and last byte of the body',
    (written) => {
      const change = apply([range(written), length]);
      expect(change).toEqual({ note: 'wrote Content-Range as 0-9', headers: [range('0-9'), length] });
      expect(apply(change?.headers ?? [])).toBeUndefined();
    },
  );

  it('believes the end that is written when the body has no length', () => {
    expect(apply([range('bytes 5-9/10')])?.headers).toEqual([range('5-9')]);
    expect(apply([range('5-9')])).toBeUndefined();
  });

  it('leaves out what says nothing', () => {
    expect(apply([range('bytes */10'), length])?.headers).toEqual([length]);
    expect(apply([range(`0-${'9'.repeat(20)}`), length])?.headers).toEqual([length]);
  });

  it('refuses a chunk that does not continue the session, and says where it goes on', () => {
    const refusal = apply([range('0-9'), length], { uploaded: 10 })?.refuse;
    expect(refusal).toMatchObject({
      code: 'RANGE_INVALID',
      status: 416,
      detail: { start: 0, expected: 10 },
      explanation: expect.stringContaining('Go on with byte 10'),
      headers: [
        ['Location', '/v2/team/app/blobs/uploads/b0a2c7de?_state=x'],
        ['Range', '0-9'],
      ],
    });
    expect(apply([range('5-14'), length], { uploaded: 0 })?.refuse?.headers).toContainEqual(['Range', '0-0']);
    expect(apply([range('10-19'), length], { uploaded: 10 })).toBeUndefined();
  });

  it('leaves a misplaced chunk to the registry when told so', () => {
    expect(apply([range('0-9'), length], { uploaded: 10 }, { misplaced: 'pass' })).toBeUndefined();
    expect(apply([range('bytes 0-9/10'), length], { uploaded: 10 }, { misplaced: 'pass' })?.headers).toEqual([
      range('0-9'),
      length,
    ]);
  });

  it('looks at the last chunk of a PUT, too, and at nothing else', () => {
    const odd = [range('bytes 0-9/10'), length];
    expect(apply(odd, { method: 'PUT' })?.headers).toEqual([range('0-9'), length]);
    expect(apply(odd, { method: 'PUT', hasBody: false })).toBeUndefined();
    expect(apply(odd, { method: 'GET' })).toBeUndefined();
    expect(apply(odd, { route: uploadStartRoute() })).toBeUndefined();
    expect(apply([length])).toBeUndefined();
  });
});

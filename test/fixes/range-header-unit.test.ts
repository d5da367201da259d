import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import type { ResponseView } from '../../src/fixes/fix.ts';
import { rangeHeaderUnit } from '../../src/fixes/range-header-unit.ts';
import {
  manifestRoute,
  requestView,
  responseView,
  someDigest,
  uploadRoute,
  uploadStartRoute,
} from '../support/views.ts';

const open = requestView({ method: 'POST', route: uploadStartRoute() });
const patch = requestView({ method: 'PATCH', route: uploadRoute() });
const get = { ...patch, method: 'GET' };
const range = (value: string) => [['Range', value]] as const;

const apply = (headers: HeaderList, overrides: Partial<ResponseView> = {}) =>
  rangeHeaderUnit.response?.(responseView({ request: patch, status: 202, headers, ...overrides }), {});

describe('range-header-unit', () => {
  it.each([
    ['bytes=0-9', '0-9'],
    ['bytes 0-9', '0-9'],
    ['Bytes 0-9/10', '0-9'],
    ['0-9/*', '0-9'],
    ['0 - 9', '0-9'],
    ['5-9', '0-9'],
  ])('writes %s as %s', (written, corrected) => {
    const change = apply(range(written));
    expect(change).toEqual({ note: `Range ${corrected} without unit`, headers: range(corrected) });
    expect(apply(range(corrected))).toBeUndefined();
  });

  it('says what was forwarded when the registry says nothing', () => {
    const received = { digest: someDigest, size: 10 };
    expect(apply([], { received })).toEqual({ note: 'added Range 0-9', headers: range('0-9') });
    expect(apply(range('ten bytes'), { received })?.headers).toEqual(range('0-9'));
    expect(apply([], { request: get, status: 204, received })?.headers).toEqual(range('0-9'));
    expect(apply([], { received: { ...received, size: 0 } })?.headers).toEqual(range('0-0'));
    expect(apply([])).toBeUndefined();
  });

  it('says 0-0 of a session that was just opened', () => {
    expect(apply([], { request: open })?.headers).toEqual(range('0-0'));
    expect(apply(range('bytes=0-0'), { request: open })?.headers).toEqual(range('0-0'));
  });

  it('leaves answers alone that have no such Range', () => {
    for (const [request, status] of [
      [open, 201],
      [patch, 416],
      [get, 200],
      [{ ...patch, method: 'PUT' }, 201],
      [{ ...open, method: 'GET' }, 202],
      [requestView({ method: 'PATCH', route: manifestRoute() }), 202],
    ] as const) {
      expect(apply(range('bytes=0-9'), { request, status })).toBeUndefined();
    }
  });
});

import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { uploadStatusVariants } from '../../src/fixes/upload-status-variants.ts';
import {
  manifestRoute,
  requestView,
  responseView,
  someDigest,
  uploadRoute,
  uploadStartRoute,
} from '../support/views.ts';

const session = ['Location', '/v2/team/app/blobs/uploads/b0a2?_state=x'] as const;
const blob = ['Location', `/v2/team/app/blobs/${someDigest}`] as const;
const open = requestView({ method: 'POST', route: uploadStartRoute() });
const mount = { ...open, query: `mount=${someDigest}&from=team/base` };
const whole = { ...open, query: `digest=${someDigest}` };
const patch = requestView({ method: 'PATCH', route: uploadRoute() });
const put = { ...patch, method: 'PUT' };
const get = { ...patch, method: 'GET' };

const apply = (request: typeof open, status: number, headers: HeaderList = []) =>
  uploadStatusVariants.response?.(responseView({ request, status, headers }), {});

describe('upload-status-variants', () => {
  it.each([
    ['an opened session', open, 200, 202],
    ['an opened session', open, 201, 202],
    ['a chunk', patch, 200, 202],
    ['a chunk', patch, 201, 202],
    ['a finished upload', put, 200, 201],
  ])('gives the answer to %s its status', (_, request, status, due) => {
    expect(apply(request, status, [session])).toEqual({
      note: `answered ${status} with ${due}`,
      status: due,
      headers: [session],
    });
  });

  it.each([
    [open, 202],
    [patch, 202],
    [put, 201],
  ])('says that the body is empty where 204 had to be silent', (request, due) => {
    expect(apply(request, 204, [session])).toMatchObject({ status: due, headers: [session, ['Content-Length', '0']] });
  });

  it('makes the state of a session an answer without body', () => {
    const range = ['Range', '0-9'] as const;
    const headers = [range, ['Content-Length', '2'], ['Content-Type', 'application/json']] as const;
    expect(apply(get, 200, headers)).toMatchObject({ status: 204, headers: [range] });
    expect(apply(get, 200)).toBeUndefined();
  });

  it.each([mount, whole])('reads from Location whether a POST is done or goes on in a session', (request) => {
    expect(apply(request, 200, [session])?.status).toBe(202);
    expect(apply(request, 200, [blob])?.status).toBe(201);
    expect(apply(request, 200)?.status).toBe(201);
    expect(apply(request, 201, [blob])).toBeUndefined();
    expect(apply(request, 202, [session])).toBeUndefined();
  });

  it('takes no page for a success', () => {
    expect(apply(put, 200, [['Content-Type', 'text/html; charset=utf-8']])).toBeUndefined();
  });

  it('leaves right answers, errors and other requests alone', () => {
    for (const [request, status] of [
      [open, 202],
      [patch, 202],
      [put, 201],
      [get, 204],
      [open, 400],
      [patch, 416],
      [put, 404],
      [{ ...patch, method: 'DELETE' }, 200],
      [{ ...open, method: 'GET' }, 200],
      [requestView({ method: 'PUT', route: manifestRoute() }), 200],
    ] as const) {
      expect(apply(request, status, [session])).toBeUndefined();
    }
  });
});

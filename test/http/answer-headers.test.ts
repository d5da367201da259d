import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import type { AppliedFix } from '../../src/fixes/run.ts';
import { answerError, headersOfAnswer } from '../../src/http/respond.ts';
import { type Answer, NO_BODY } from '../../src/pipeline/exchange.ts';

describe('an error as an answer', () => {
  const error = new RegistryError('UNAUTHORIZED', {
    detail: { a: 1 },
    explanation: 'Log in.',
    fix: 'opaque-errors',
    headers: [
      ['WWW-Authenticate', 'Basic'],
      ['content-type', 'text/html'],
      ['Content-Length', '1'],
    ],
  });

  it('is JSON with its status, its fields and one explanation', () => {
    const { status, headers, body } = answerError(error, 'GET');
    if (body.kind !== 'bytes') throw new Error('no body');
    expect(JSON.parse(Buffer.from(body.bytes).toString())).toEqual({
      errors: [
        {
          code: 'UNAUTHORIZED',
          message: 'authentication required',
          detail: { a: 1, manifix: 'Log in. See docs/fixes/opaque-errors.md.' },
        },
      ],
    });
    expect(status).toBe(401);
    expect(headers).toEqual([
      ['WWW-Authenticate', 'Basic'],
      ['Content-Type', 'application/json; charset=utf-8'],
      ['Content-Length', String(body.bytes.length)],
      ['Docker-Distribution-Api-Version', 'registry/2.0'],
    ]);
  });

  it('has the same fields and no body for HEAD', () => {
    expect(answerError(error, 'HEAD')).toEqual({ ...answerError(error, 'GET'), body: NO_BODY });
  });
});

describe('the header fields of an answer', () => {
  const answer: Answer = { status: 200, headers: [['ETag', '"x"']], body: NO_BODY };
  const cacheStatus = (given: Partial<Answer>, method = 'GET') =>
    headersOfAnswer({ ...answer, ...given }, method, []).find(([name]) => name === 'Cache-Status')?.[1];

  it('say what the cache did', () => {
    expect(cacheStatus({ cache: 'hit' })).toBe('manifix; hit');
    expect(cacheStatus({ cache: 'miss' })).toBe('manifix; fwd=miss');
    expect(cacheStatus({ cache: 'miss', stored: true })).toBe('manifix; fwd=miss; stored');
    expect(cacheStatus({ cache: 'stale', staleReason: 'registry-unavailable' })).toBe(
      'manifix; fwd=stale; detail="registry-unavailable"',
    );
    expect(cacheStatus({ cache: 'bypass' }, 'HEAD')).toBe('manifix; fwd=bypass');
  });

  it('say so on every read, and on nothing else that the cache has no part in', () => {
    expect(['GET', 'HEAD', 'PUT', 'POST'].map((method) => cacheStatus({}, method))).toEqual([
      'manifix; fwd=miss',
      'manifix; fwd=miss',
      undefined,
      undefined,
    ]);
  });

  it('name the fixes that changed the exchange, each once and in the order of their first work', () => {
    const applied: AppliedFix[] = [
      { id: 'b', mode: 'on', note: '' },
      { id: 'c', mode: 'observe', note: '' },
      { id: 'a', mode: 'on', note: '' },
      { id: 'd', mode: 'on', note: '', failure: new Error('no') },
      { id: 'b', mode: 'on', note: '' },
    ];
    expect(headersOfAnswer({ ...answer, cache: 'hit' }, 'GET', applied)).toEqual([
      ['ETag', '"x"'],
      ['Cache-Status', 'manifix; hit'],
      ['Manifix-Fixes', 'b, a'],
    ]);
    expect(headersOfAnswer(answer, 'PUT', applied.slice(1, 2))).toEqual(answer.headers);
  });
});

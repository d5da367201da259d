import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { isOutage, isOutageError, outageError } from '../../src/domain/outage.ts';

describe('an outage', () => {
  it('is what says nothing about the content', () => {
    expect([200, 304, 400, 401, 404, 429, 499, 500, 503, 599].filter(isOutage)).toEqual([429, 500, 503, 599]);
  });

  it('keeps its status and Retry-After', () => {
    const headers: HeaderList = [
      ['retry-after', '9'],
      ['Content-Type', 'text/html'],
    ];
    expect(outageError(429, headers)).toMatchObject({
      code: 'TOOMANYREQUESTS',
      status: 429,
      headers: [['Retry-After', '9']],
    });
    expect(outageError(504, [], 'the registry hub')).toMatchObject({
      code: 'UNAVAILABLE',
      status: 504,
      message: 'the registry hub answered 504',
      headers: [],
    });
  });

  it('is an error of the registry, whatever kept it from answering', () => {
    const errors = [outageError(429, []), outageError(503, []), new RegistryError('DENIED'), new Error('ours')];
    expect(errors.map(isOutageError)).toEqual([true, true, false, false]);
  });
});

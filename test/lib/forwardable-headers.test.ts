import { describe, expect, it } from 'vitest';
import { forwardableHeaders } from '../../src/lib/forwardable-headers.ts';

describe('the header fields that are forwarded', () => {
  it('keep their order, capitals and repetition', () => {
    const headers = [
      ['X-B', '1'],
      ['accept', 'a'],
      ['Accept', 'b'],
      ['Content-Type', 'x/y'],
      ['Cookie', 'c'],
    ] as const;
    expect(forwardableHeaders(headers)).toEqual(headers);
  });

  it.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authorization',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'Host',
    'Content-Length',
    'Expect',
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Anything',
    'X-Original-URL',
    'X-Rewrite-URL',
    'X-HTTP-Method-Override',
    'X-HTTP-Method',
    'X-Method-Override',
    'X-Real-IP',
  ])('are without %s in any case', (name) => {
    expect(
      forwardableHeaders([
        [name, 'v'],
        [name.toLowerCase(), 'v'],
        [name.toUpperCase(), 'v'],
      ]),
    ).toEqual([]);
  });

  it('are without what Connection names, on any of its lines', () => {
    const headers = forwardableHeaders([
      ['X-One', '1'],
      ['x-two', '2'],
      ['Connection', 'close , X-ONE'],
      ['connection', 'X-Two'],
      ['X-Three', '3'],
    ]);
    expect(headers).toEqual([['X-Three', '3']]);
  });
});

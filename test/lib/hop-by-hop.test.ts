import { describe, expect, it } from 'vitest';
import { endToEndHeaders } from '../../src/lib/hop-by-hop.ts';

describe('the header fields that travel beyond one connection', () => {
  it('keep their order, capitals and repetition', () => {
    const headers = [
      ['Set-Cookie', 'a'],
      ['WWW-Authenticate', 'Bearer realm="x"'],
      ['set-cookie', 'b'],
      ['Content-Length', '3'],
      ['Host', 'h'],
    ] as const;
    expect(endToEndHeaders(headers)).toEqual(headers);
  });

  it.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Authenticate',
    'Proxy-Authorization',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
  ])('are without %s in any case', (name) => {
    const headers = [name, name.toLowerCase(), name.toUpperCase()].map((spelling) => [spelling, 'v'] as const);
    expect(endToEndHeaders(headers)).toEqual([]);
  });

  it('are without what Connection names, on any of its lines and in any case', () => {
    const headers = endToEndHeaders([
      ['X-Hop', '1'],
      ['connection', 'close , x-HOP'],
      ['CONNECTION', 'x-other'],
      ['X-Other', '2'],
      ['X-Stays', '3'],
    ]);
    expect(headers).toEqual([['X-Stays', '3']]);
  });

  it('do not remember what an earlier Connection named', () => {
    endToEndHeaders([['Connection', 'X-Once']]);
    expect(endToEndHeaders([['X-Once', '1']])).toEqual([['X-Once', '1']]);
  });
});

import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { withVia } from '../../src/http/via.ts';
import { exchange } from '../support/http.ts';
import { okAnswer, parseAnswer, startEdge, talk } from './edge.ts';

const via = (headers: HeaderList) => headers.filter(([name]) => name.toLowerCase() === 'via').map(([, value]) => value);

describe('Via', () => {
  it('names this manifix, behind those that the request came through', () => {
    expect(withVia([['Accept', '*/*']], 'a-1')).toEqual([
      ['Accept', '*/*'],
      ['Via', '1.1 manifix-a-1'],
    ]);
    const chain = [
      ['via', '1.1 manifix-b, 1.1 squid (manifix-like)'],
      ['Via', '1.1 manifix-c'],
    ] as const;
    expect(via(withVia(chain, 'a'))).toEqual(['1.1 manifix-b, 1.1 manifix-like, 1.1 manifix-c, 1.1 manifix-a']);
    expect(via(withVia([['Via', '1.1 varnish']], 'a'))).toEqual(['1.1 manifix-a']);
  });

  it('reaches the use cases, while fixes still see what the client sent', async () => {
    await using edge = await startEdge();
    await exchange(edge.url, { target: '/v2/', headers: { Via: '1.1 proxy' } });
    const request = edge.exchanges[0]?.request;
    expect(via(request?.headers ?? [])).toEqual([expect.stringMatching(/^1\.1 manifix-[\w-]+$/)]);
    expect(via(request?.clientHeaders ?? [])).toEqual(['1.1 proxy']);
  });

  it('ends a request that comes back with 508, instead of sending it round until nothing is left', async () => {
    await using edge = await startEdge(async ({ request }) => {
      // The registry behind it is itself.
      const [, value = ''] = request.headers.find(([name]) => name === 'Via') ?? [];
      const answer = parseAnswer(
        await talk(edge.port, `GET /v2/ HTTP/1.1\r\nHost: a\r\nVia: ${value}\r\nConnection: close\r\n\r\n`),
      );
      expect(answer).toMatchObject({ status: 508, error: { code: 'UNAVAILABLE' } });
      return okAnswer;
    });
    expect((await exchange(edge.url, { target: '/v2/' })).status).toBe(200);
    expect(edge.exchanges).toHaveLength(1);
  });
});

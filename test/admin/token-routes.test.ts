import { describe, expect, it } from 'vitest';
import { createTokenRoutes, type TokenOperations } from '../../src/admin/token-routes.ts';

const RECORD = { id: 'a1', user: 'bob', note: '', createdAt: 1_000 };
const JSON_TYPE = { 'Content-Type': 'application/json' };

/** Operations that tell what they were asked. */
function recorded(): TokenOperations & { readonly asked: unknown[] } {
  const asked: unknown[] = [];
  return {
    asked,
    list: () => [RECORD],
    issue(wish) {
      asked.push(wish);
      return wish.endpoints?.includes('nowhere') ? { wrong: 'unknown endpoint' } : { token: 'mfx_x', record: RECORD };
    },
    revoke(id) {
      asked.push(id);
      return id === 'a1';
    },
  };
}

async function post(
  operations: TokenOperations,
  path: string,
  body: string,
  headers: Record<string, string> = JSON_TYPE,
) {
  const answer = await createTokenRoutes(operations).request(path, { method: 'POST', body, headers });
  return { status: answer.status, content: (await answer.json()) as { readonly error?: string } };
}

describe('the token routes', () => {
  it('list tokens', async () => {
    expect(await (await createTokenRoutes(recorded()).request('/')).json()).toEqual({ tokens: [RECORD] });
  });

  it('make one, and say why not', async () => {
    const operations = recorded();
    expect(await post(operations, '/', '{"user":"bob","expires":"1d"}')).toEqual({
      status: 200,
      content: { token: 'mfx_x', ...RECORD },
    });
    expect(operations.asked).toEqual([{ user: 'bob', note: '', lifetime: 86_400_000 }]);
    const refusals = await Promise.all(
      ['nonsense', '{}', '{"user":"bob","endpoints":["nowhere"]}'].map((body) => post(operations, '/', body)),
    );
    expect(refusals.map(({ status, content }) => [status, content.error])).toEqual([
      [400, 'send a JSON object'],
      [400, 'user: expected a name without spaces and colons, of at most 100 characters'],
      [400, 'unknown endpoint'],
    ]);
  });

  it('revoke one, when there is one', async () => {
    const operations = recorded();
    expect(await post(operations, '/revoke', '{"id":"a1"}')).toEqual({ status: 200, content: { revoked: 'a1' } });
    expect(await post(operations, '/revoke', '{"id":"b2"}')).toEqual({
      status: 404,
      content: { error: 'there is no token b2' },
    });
    for (const body of ['{}', '{"id":1}', '{"id":"a1","all":true}', '[]']) {
      expect((await post(operations, '/revoke', body)).status).toBe(400);
    }
    expect(operations.asked).toEqual(['a1', 'b2']);
  });

  it('do nothing for web pages', async () => {
    const operations = recorded();
    expect((await post(operations, '/', '{"user":"bob"}', { 'Content-Type': 'text/plain' })).status).toBe(415);
    for (const sign of [{ Origin: 'http://evil.test' }, { 'Sec-Fetch-Site': 'same-origin' }]) {
      expect((await post(operations, '/', '{"user":"bob"}', { ...JSON_TYPE, ...sign })).status).toBe(403);
    }
    expect(operations.asked).toEqual([]);
  });
});

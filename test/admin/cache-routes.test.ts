import { describe, expect, it } from 'vitest';
import { type CacheOperations, createCacheRoutes } from '../../src/admin/cache-routes.ts';
import { barrier, within } from '../support/deadline.ts';

const digest = `sha256:${'0'.repeat(64)}`;

/** Operations that tell what they were asked. */
function recorded(overrides: Partial<CacheOperations> = {}): CacheOperations & { readonly asked: unknown[] } {
  const asked: unknown[] = [];
  return {
    asked,
    statistics: () => ({ blobs: 1 }),
    verify: async () => {
      asked.push('verify');
      return { damaged: 0 };
    },
    purge: async (selection, dryRun) => {
      asked.push({ selection, dryRun });
      return { blobs: 2 };
    },
    ...overrides,
  };
}

async function post(cache: CacheOperations, path: string, body: string, contentType = 'application/json') {
  return request(createCacheRoutes(cache), path, body, contentType);
}

async function request(app: ReturnType<typeof createCacheRoutes>, path: string, body: string, contentType: string) {
  const answer = await app.request(path, { method: 'POST', body, headers: { 'Content-Type': contentType } });
  return { status: answer.status, content: await answer.json() };
}

describe('the cache routes', () => {
  it('tell statistics', async () => {
    const answer = await createCacheRoutes(recorded()).request('/stats');
    expect(answer.headers.get('Content-Type')).toBe('application/json');
    expect(await answer.json()).toEqual({ blobs: 1 });
  });

  it('verify', async () => {
    const cache = recorded();
    expect(await post(cache, '/verify', '{}')).toEqual({ status: 200, content: { damaged: 0 } });
    expect(cache.asked).toEqual(['verify']);
  });

  it('verify once at a time', async () => {
    const started = barrier();
    const goOn = barrier();
    const verify = async () => {
      started.release();
      await goOn.passed;
      return {};
    };
    const app = createCacheRoutes(recorded({ verify }));
    const first = request(app, '/verify', '{}', 'application/json');
    await within('the first', started.passed);
    const refusal = { status: 409, content: { error: 'the cache is being verified already' } };
    expect(await request(app, '/verify', '{}', 'application/json')).toEqual(refusal);
    goOn.release();
    expect((await first).status).toBe(200);
    expect((await request(app, '/verify', '{}', 'application/json')).status).toBe(200);
  });

  it.each([
    [{ digest }, { by: 'digest', digest }, false],
    [{ repository: 'hub/library/alpine', dryRun: true }, { by: 'repository', name: 'hub/library/alpine' }, true],
    [{ olderThan: '30d', dryRun: false }, { by: 'age', unusedFor: 2_592_000_000 }, false],
    [{ all: true }, { by: 'all' }, false],
  ])('purge what %j says', async (body, selection, dryRun) => {
    const cache = recorded();
    expect(await post(cache, '/purge', JSON.stringify(body))).toEqual({ status: 200, content: { blobs: 2 } });
    expect(cache.asked).toEqual([{ selection, dryRun }]);
  });

  it.each([
    ['', 'send a JSON object'],
    ['[]', 'send a JSON object'],
    ['null', 'send a JSON object'],
    ['{"all":true', 'send a JSON object'],
    ['{}', 'choose one: a digest, a repository, an age, or all'],
    ['{"all":true,"digest":"x"}', 'choose one: a digest, a repository, an age, or all'],
    ['{"everything":true}', 'unknown key "everything"; known: digest, repository, olderThan, all, dryRun'],
    ['{"__proto__":1}', 'unknown key "__proto__"; known: digest, repository, olderThan, all, dryRun'],
    ['{"all":"true"}', 'all: expected a boolean'],
    ['{"all":true,"dryRun":"no"}', 'dryRun: expected a boolean'],
    ['{"olderThan":30}', 'olderThan: expected a string'],
    ['{"olderThan":"30 days"}', 'olderThan: expected a time such as 12h or 30d'],
    ['{"digest":"sha256:0"}', '"sha256:0" is not a digest'],
    ['{"repository":"../x"}', '"../x" is not the name of a repository'],
  ])('refuse to purge %s', async (body, error) => {
    const cache = recorded();
    expect(await post(cache, '/purge', body)).toEqual({ status: 400, content: { error } });
    expect(cache.asked).toEqual([]);
  });

  it('refuse what a web page can make a browser send', async () => {
    const cache = recorded();
    for (const type of [
      'application/x-www-form-urlencoded',
      'text/plain',
      'multipart/form-data',
      'application/jsonx',
    ]) {
      for (const path of ['/purge', '/verify']) {
        expect((await post(cache, path, '{"all":true}', type)).status).toBe(415);
      }
    }
    expect(cache.asked).toEqual([]);
    expect((await post(cache, '/purge', '{"all":true}', 'application/json; charset=utf-8')).status).toBe(200);
  });

  it('refuse a body that is too long, and one that verifying has no use for', async () => {
    const cache = recorded();
    expect((await post(cache, '/purge', `{"digest":"${'0'.repeat(5000)}"}`)).status).toBe(413);
    expect((await post(cache, '/verify', '{"all":true}')).status).toBe(400);
    expect(cache.asked).toEqual([]);
  });

  it('tell why an operation failed', async () => {
    const purge = async () => {
      throw new Error('database is locked');
    };
    expect(await post(recorded({ purge }), '/purge', '{"all":true}')).toEqual({
      status: 500,
      content: { error: 'database is locked' },
    });
  });
});

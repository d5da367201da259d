import { describe, expect, it } from 'vitest';
import { createTagRoutes, type TagOperations, type TagReport } from '../../src/admin/tag-routes.ts';

const REPORT: TagReport = {
  reference: 'team/app:1',
  endpoint: 'default',
  upstream: 'hub',
  repository: 'team/app',
  tag: '1',
  pin: null,
  history: [],
};

/** Operations that tell what they were asked, and know one tag. */
function recorded(): TagOperations & { readonly asked: unknown[] } {
  const asked: unknown[] = [];
  const note = (...words: readonly unknown[]) => {
    asked.push(words);
    return words[1] === REPORT.reference ? { told: REPORT } : { wrong: 'no endpoint serves it' };
  };
  return {
    asked,
    history: (reference) => note('history', reference),
    pin: (reference, digest, why) => note('pin', reference, digest, why),
    unpin: (reference) => note('unpin', reference),
    rollback: (reference, to) => note('rollback', reference, to),
  };
}

async function send(operations: TagOperations, path: string, body?: object | string, type = 'application/json') {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const init = body === undefined ? {} : { method: 'POST', body: text, headers: { 'Content-Type': type } };
  const answer = await createTagRoutes(operations).request(path, init);
  return { status: answer.status, content: await answer.json() };
}

describe('the tag routes', () => {
  it('show the history of a tag', async () => {
    const operations = recorded();
    expect(await send(operations, '/history?reference=team%2Fapp:1')).toEqual({ status: 200, content: REPORT });
    expect(await send(operations, '/history')).toMatchObject({ status: 400 });
    expect(await send(operations, '/history?reference=other')).toEqual({
      status: 400,
      content: { error: 'no endpoint serves it' },
    });
  });

  it('pin, unpin and roll back', async () => {
    const operations = recorded();
    const reference = 'team/app:1';
    for (const [path, body] of [
      ['/pin', { reference, digest: 'current', note: 'why' }],
      ['/pin', { reference, digest: 'current' }],
      ['/unpin', { reference }],
      ['/rollback', { reference }],
      ['/rollback', { reference, to: 'sha256:1' }],
    ] as const) {
      expect(await send(operations, path, body)).toEqual({ status: 200, content: REPORT });
    }
    expect(operations.asked).toEqual([
      ['pin', reference, 'current', 'why'],
      ['pin', reference, 'current', undefined],
      ['unpin', reference],
      ['rollback', reference, undefined],
      ['rollback', reference, 'sha256:1'],
    ]);
  });

  it.each([
    ['/pin', '[]', 'send a JSON object'],
    ['/pin', { reference: 'a' }, 'digest is missing'],
    ['/pin', { reference: 'a', digest: 7 }, 'digest: expected a string'],
    ['/unpin', { reference: '' }, 'reference: expected a string'],
    ['/unpin', { reference: 'a', all: 'yes' }, 'unknown key "all"; known: reference'],
    ['/rollback', {}, 'reference is missing'],
    ['/rollback', { reference: 'team/other:1' }, 'no endpoint serves it'],
  ])('POST %s of %j is a mistake', async (path, body, error) => {
    expect(await send(recorded(), path, body)).toEqual({ status: 400, content: { error } });
  });

  it('take no forms, which web pages can send', async () => {
    const operations = recorded();
    expect(await send(operations, '/unpin', 'reference=a', 'text/plain')).toMatchObject({ status: 415 });
    expect(operations.asked).toEqual([]);
  });
});

import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { errorAnswer } from '../support/fake-upstream.ts';
import { createScene } from '../support/scene.ts';

const target = '/v2/team/app/tags/list';
const json = [['Content-Type', 'application/json'] as const];
const tags = (...names: readonly string[]) => JSON.stringify({ name: 'team/app', tags: names });
const on = (options = {}) => ({ mode: 'on', options }) as const;

describe('a list', () => {
  it('is asked for with the fields of the client, without those that ask for less than all of it', async () => {
    const { ask, upstream } = createScene();
    upstream.on('GET', target, { status: 200, headers: json, body: tags('a') });
    await ask('GET', target, [
      ['Authorization', 'Basic YTph'],
      ['X-Own', '1'],
      ['If-None-Match', '"x"'],
      ['Range', 'bytes=0-1'],
    ]);
    expect(upstream.requests[0]?.headers).toEqual([
      ['Authorization', 'Basic YTph'],
      ['X-Own', '1'],
    ]);
  });

  it('has the same fields for HEAD as for GET, whatever the registry says to HEAD', async () => {
    const { ask, upstream } = createScene();
    upstream.on('GET', target, { status: 200, headers: [...json, ['Content-Length', '7']], body: tags('b', 'a') });
    upstream.on('HEAD', target, { status: 405 });
    const get = await ask('GET', target);
    const head = await ask('HEAD', target);
    expect([head.status, head.body.length, head.headers]).toEqual([200, 0, get.headers]);
    expect(head.header('Content-Length')).toBe(String(get.body.length));
  });

  it('loses what was said about its bytes only when they change', async () => {
    const { ask, upstream } = createScene();
    const headers = [...json, ['ETag', '"1"'] as const];
    upstream.on('GET', target, { status: 200, headers, body: `${tags('a', 'b')}\n` });
    expect((await ask('GET', target)).header('ETag')).toBe('"1"');
    expect((await ask('GET', target)).body.toString()).toBe(`${tags('a', 'b')}\n`);
    upstream.on('GET', target, { status: 200, headers, body: tags('b', 'a') });
    expect((await ask('GET', target)).header('ETag')).toBeUndefined();
  });

  it('that came compressed is decoded, unless that is switched off', async () => {
    const headers = [...json, ['Content-Encoding', 'gzip'] as const];
    const plain = createScene();
    plain.upstream.on('GET', target, { status: 200, headers, body: gzipSync(tags('a')) });
    const answer = await plain.ask('GET', target);
    expect([answer.body.toString(), answer.header('Content-Encoding')]).toEqual([tags('a'), undefined]);
    plain.upstream.on('GET', target, { status: 200, headers, body: tags('a') });
    expect((await plain.ask('GET', target)).body.toString()).toBe(tags('a'));
    plain.upstream.on('GET', target, { status: 200, headers, body: 'neither' });
    expect((await plain.ask('GET', target)).header('Content-Encoding')).toBe('gzip');

    const asItCame = createScene({ settings: { 'gzip-content-encoding': { mode: 'off', options: {} } } });
    asItCame.upstream.on('GET', target, { status: 200, headers, body: gzipSync(tags('b', 'a')) });
    const raw = await asItCame.ask('GET', target);
    expect([raw.body, raw.header('Content-Encoding')]).toEqual([gzipSync(tags('b', 'a')), 'gzip']);
  });

  it('that is too long to be held goes through as it is', async () => {
    const { ask, upstream } = createScene();
    const long = tags('z', 'a'.repeat(9 * 1024 * 1024));
    upstream.on('GET', target, { status: 200, headers: json, body: long });
    const answer = await ask('GET', target);
    expect(answer.body.toString() === long).toBe(true);
    expect(answer.fixes.map(({ id }) => id)).not.toContain('tags-list-shape');
  });

  it('that nests without end is an answer like any other', async () => {
    const { ask, upstream } = createScene();
    const body = `{"tags":${'['.repeat(100_000)}`;
    upstream.on('GET', target, { status: 200, headers: json, body });
    expect((await ask('GET', target)).body.toString()).toBe(body);
  });

  it('is not asked for again and again', async () => {
    const { ask, upstream } = createScene();
    const refusal = errorAnswer(400, 'PAGINATION_NUMBER_INVALID');
    for (const n of [5000, 1000, 100]) upstream.on('GET', `${target}?n=${n}`, refusal);
    expect(await ask('GET', `${target}?n=5000`)).toMatchObject({ status: 400 });
    expect(upstream.asked()).toEqual([5000, 1000, 100].map((n) => `GET ${target}?n=${n}`));
  });

  it('is asked for as the client did where the fix is not on', async () => {
    const { ask, upstream, services } = createScene({
      settings: { 'catalog-n-too-large': { mode: 'observe', options: {} } },
    });
    services.defects.prove('registry', 'catalog-n-too-large', { limit: 1000 });
    upstream.on('GET', `${target}?n=5000`, errorAnswer(400, 'PAGINATION_NUMBER_INVALID'));
    expect(await ask('GET', `${target}?n=5000`)).toMatchObject({ status: 400 });
    expect(upstream.asked()).toEqual([`GET ${target}?n=5000`]);
  });
});

describe('pages that are put together', () => {
  const settings = { 'tags-list-shape': on({ aggregate: 'yes' }) };
  const page = (next: string | undefined, ...names: readonly string[]) => ({
    status: 200,
    headers: [...json, ...(next === undefined ? [] : [['Link', `<${target}?${next}>; rel="next"`] as const])],
    body: tags(...names),
  });

  it('fail as a whole when one of them does', async () => {
    const { ask, upstream } = createScene({ settings });
    upstream.on('GET', target, page('last=a', 'a'));
    upstream.on('GET', `${target}?last=a`, errorAnswer(503, 'UNAVAILABLE'));
    expect(await ask('GET', target)).toMatchObject({ status: 503 });
  });

  it('end where the registry names the same page for ever', async () => {
    const { ask, upstream } = createScene({ settings });
    upstream.on('GET', target, page('last=a', 'a'));
    upstream.on('GET', `${target}?last=a`, page('last=a', 'b'));
    const answer = await ask('GET', target);
    expect(JSON.parse(answer.body.toString()).tags).toHaveLength(1_000);
    expect(answer.header('Link')).toBe(`<${target}?last=a>; rel="next"`);
  });

  it('ask only the list itself, wherever the Link leads', async () => {
    const { ask, upstream } = createScene({ settings });
    upstream.on('GET', target, {
      ...page(undefined, 'a'),
      headers: [...json, ['Link', '<http://elsewhere.test/v2/secret/tags/list?last=a>; rel="next"']],
    });
    upstream.on('GET', `${target}?last=a`, page(undefined, 'b'));
    expect(JSON.parse((await ask('GET', target)).body.toString()).tags).toEqual(['a', 'b']);
    expect(upstream.asked()).toEqual([`GET ${target}`, `GET ${target}?last=a`]);
  });

  it('stop in front of one that is no list', async () => {
    const { ask, upstream } = createScene({ settings });
    upstream.on('GET', target, page('last=a', 'a'));
    upstream.on('GET', `${target}?last=a`, { status: 204 });
    const answer = await ask('GET', target);
    expect([answer.header('Link'), JSON.parse(answer.body.toString()).tags]).toEqual([
      `<${target}?last=a>; rel="next"`,
      ['a'],
    ]);
  });
});

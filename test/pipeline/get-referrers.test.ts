import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { fallbackTag } from '../../src/domain/referrers.ts';
import { barrier } from '../support/deadline.ts';
import { errorAnswer, type FakeAnswer, guarded } from '../support/fake-upstream.ts';
import { mediaTypes } from '../support/images.ts';
import { createScene, everybodysToken, type SeenAnswer } from '../support/scene.ts';
import { digest, repositoryName } from '../support/views.ts';

const subject = digestOf(Buffer.from('subject'));
const target = `/v2/team/app/referrers/${subject}`;
const tagged = `/v2/team/app/manifests/${fallbackTag(subject)}`;
const alice: HeaderList = [['Authorization', 'Basic YTph']];
const bob: HeaderList = [['Authorization', 'Basic Yjpi']];
const entry = (name: string, artifactType = 'example/sbom') => ({
  mediaType: mediaTypes.ociManifest,
  digest: digestOf(Buffer.from(name)),
  size: name.length,
  artifactType,
});
const typed: HeaderList = [['Content-Type', mediaTypes.ociIndex]];
const index = (...manifests: readonly object[]): FakeAnswer => ({
  status: 200,
  headers: typed,
  body: JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }),
});
const names = ({ body }: SeenAnswer) =>
  JSON.parse(body.toString()).manifests.map((item: { size: number }) => item.size);
const noRoute: FakeAnswer = {
  status: 404,
  headers: [['Content-Type', 'text/plain; charset=utf-8']],
  body: '404 page not found\n',
};
const FAILING = { ask: false, patience: 0 };

describe('a list of referrers', () => {
  it('is asked for once in a minute, for GET and HEAD, and again when the minute is over', async () => {
    const { ask, upstream, services } = createScene();
    upstream.on('GET', target, index(entry('a')));
    expect(await ask('GET', target)).toMatchObject({ status: 200, cache: 'bypass' });
    upstream.asked();
    const hit = await ask('GET', target);
    expect([hit.status, hit.cache, names(hit)]).toEqual([200, 'hit', [1]]);
    const head = await ask('HEAD', target);
    expect([head.body.length, head.headers]).toEqual([0, hit.headers]);
    expect(upstream.asked()).toEqual([]);
    services.clock.now += 60_000;
    await ask('GET', target);
    expect(upstream.asked()).toContain(`GET ${target}`);
  });

  it('is as fresh as the tag that stands for it', async () => {
    const { ask, upstream } = createScene({ freshness: { ttlOf: (tag) => (tag === fallbackTag(subject) ? 0 : 1e9) } });
    upstream.on('GET', target, index());
    await ask('GET', target);
    expect(await ask('GET', target)).toMatchObject({ cache: 'bypass' });
  });

  it('is another one for another filter, and tells its fixes again', async () => {
    const { ask, upstream } = createScene();
    upstream.on('GET', target, index(entry('a'), entry('bb', 'example/other')));
    upstream.on('GET', `${target}?artifactType=example/sbom`, { ...index(entry('a')), headers: [] });
    for (const _ of ['asked', 'kept']) {
      expect(names(await ask('GET', target))).toEqual([1, 2]);
      const filtered = await ask('GET', `${target}?artifactType=example/sbom`);
      expect(names(filtered)).toEqual([1]);
      expect(filtered.fixes.map(({ id }) => id)).toContain('referrers-misbehaviour');
    }
  });

  it('is asked for once by all who ask at the same time', async () => {
    const { ask, upstream } = createScene();
    const gate = barrier();
    upstream.on('GET', target, async () => {
      await gate.passed;
      return index(entry('a'));
    });
    const answers = ['GET', 'HEAD', 'GET'].map((method) => ask(method, target));
    gate.release();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(upstream.asked().filter((question) => question === `GET ${target}`)).toHaveLength(1);
  });

  it('is asked for again after a change in its repository', async () => {
    const { ask, upstream, services } = createScene();
    upstream.on('GET', target, index(entry('a')));
    await ask('GET', target);
    upstream.on('GET', target, index(entry('a'), entry('bb')));
    services.changes.changed('registry\nteam/other');
    expect(names(await ask('GET', target))).toEqual([1]);
    services.changes.changed('registry\nteam/app');
    expect(names(await ask('GET', target))).toEqual([1, 2]);
  });

  it('longer than what is held goes through, to each who asks', async () => {
    const { ask, upstream } = createScene();
    const body = JSON.stringify({ manifests: [], padding: 'a'.repeat(9 * 1024 * 1024) });
    upstream.on('GET', target, { status: 200, headers: typed, body });
    const answers = await Promise.all([ask('GET', target), ask('GET', target)]);
    expect(answers.map((answer) => answer.body.length)).toEqual([body.length, body.length]);
    expect((await ask('HEAD', target)).body).toHaveLength(0);
  });
});

describe('a list of referrers that one caller was given', () => {
  it("is nobody else's, neither while the registry answers nor during an outage", async () => {
    const { ask, upstream } = createScene();
    upstream.on('GET', target, guarded('Basic YTph', index(entry('a'))));
    expect(await ask('GET', target, alice)).toMatchObject({ status: 200 });
    for (const headers of [bob, []]) expect(await ask('GET', target, headers)).toMatchObject({ status: 401 });
    upstream.down = true;
    for (const headers of [bob, []]) expect(await ask('GET', target, headers)).toMatchObject({ status: 502 });
  });

  it('is given to everybody when it was given to nobody in particular', async () => {
    const { ask, upstream } = createScene({ tagTtl: 0 });
    upstream.on('GET', target, index(entry('a')));
    await ask('GET', target, [everybodysToken]);
    upstream.down = true;
    for (const headers of [alice, [], [everybodysToken]]) {
      const answer = await ask('GET', target, headers);
      expect([answer.status, answer.cache, names(answer)]).toEqual([200, 'stale', [1]]);
      expect(answer.header('Warning')).toMatch(/^299 - "manifix: the registry cannot be asked/);
    }
  });

  it('keeps to itself what the registry told that caller only', async () => {
    const { ask, upstream } = createScene();
    upstream.on('GET', target, { ...index(entry('a')), headers: [...typed, ['Set-Cookie', 'session=1']] });
    expect((await ask('GET', target, [everybodysToken])).header('Set-Cookie')).toBe('session=1');
    const kept = await ask('GET', target);
    expect([kept.cache, kept.header('Set-Cookie'), kept.header('Content-Type')]).toEqual([
      'hit',
      undefined,
      mediaTypes.ociIndex,
    ]);
  });

  it('is given to nobody any more once it was refused to nobody in particular', async () => {
    const { ask, upstream } = createScene({ tagTtl: 0 });
    upstream.on('GET', target, index(entry('a')));
    await ask('GET', target);
    upstream.on('GET', target, errorAnswer(403, 'DENIED'));
    expect(await ask('GET', target)).toMatchObject({ status: 403 });
    upstream.down = true;
    expect(await ask('GET', target)).toMatchObject({ status: 502 });
  });

  it('is given to that caller during an outage as long as the right to read is believed', async () => {
    const { ask, upstream, services } = createScene({ tagTtl: 0 });
    upstream.on('GET', target, guarded('Basic YTph', index(entry('a'))));
    await ask('GET', target, alice);
    upstream.down = true;
    expect(await ask('GET', target, alice)).toMatchObject({ status: 502 });
    services.facts.putLink('registry', repositoryName('team/app'), 'manifest', digest(subject), 'open');
    expect(await ask('GET', target, alice)).toMatchObject({ status: 200, cache: 'stale' });
  });
});

describe('a list of referrers during an outage', () => {
  async function known(freshness = {}) {
    const scene = createScene({ tagTtl: 0, freshness });
    scene.upstream.on('GET', target, index(entry('a')));
    await scene.ask('GET', target);
    scene.upstream.asked();
    return scene;
  }

  it.each([
    [429, 'TOOMANYREQUESTS'],
    [503, 'UNAVAILABLE'],
  ])('is the last known one when the registry answers %i', async (status, code) => {
    const { ask, answer, upstream } = await known();
    upstream.on('GET', target, errorAnswer(status, code));
    expect(await ask('GET', target)).toMatchObject({ status: 200, cache: 'stale' });
    expect(await answer('GET', target)).toMatchObject({ staleReason: 'registry-unavailable' });
  });

  it('is not asked for where nobody would answer, and not waited for', async () => {
    const failing = await known();
    failing.upstream.expected = FAILING;
    expect(await failing.ask('HEAD', target)).toMatchObject({ status: 200, cache: 'stale' });
    expect(failing.upstream.asked()).toEqual([]);

    const slow = await known();
    const gate = barrier();
    slow.upstream.on('GET', target, async () => {
      await gate.passed;
      return index();
    });
    slow.upstream.expected = { ask: true, patience: 1 };
    expect(await slow.answer('GET', target)).toMatchObject({ status: 200, staleReason: 'registry-slow' });
    gate.release();
  });

  it('is refreshed behind the answer, or spared, as tags are', async () => {
    const refreshing = await known({ staleWhileRevalidate: 1_000 });
    expect(await refreshing.answer('GET', target)).toMatchObject({ staleReason: 'refreshing' });
    expect(refreshing.upstream.asked()).toContain(`GET ${target}`);

    const spared = await known();
    spared.upstream.expected = { ask: true, patience: 1_000, budget: 0.01 };
    expect(await spared.answer('GET', target)).toMatchObject({ staleReason: 'rate-limit' });
    expect(spared.upstream.asked()).toEqual([]);
  });

  it('fails with the true reason when it is not known, or older than staleFor', async () => {
    const { ask, upstream, services } = await known({ staleFor: 1_000 });
    upstream.on('GET', `${target}?artifactType=x`, errorAnswer(429, 'TOOMANYREQUESTS', 'no', [['Retry-After', '7']]));
    const limited = await ask('GET', `${target}?artifactType=x`);
    expect([limited.status, limited.header('Retry-After')]).toEqual([429, '7']);
    services.clock.now += 1_000;
    upstream.down = true;
    expect(await ask('GET', target)).toMatchObject({ status: 502 });
  });
});

describe('a registry without the referrers API', () => {
  it('is not asked for it again for ten minutes, by nobody and for no repository', async () => {
    const { ask, upstream } = createScene();
    upstream.on('GET', target, noRoute);
    const first = await ask('GET', target, alice);
    expect(first.status).toBe(404);
    upstream.asked();
    for (const one of [target, target.replace('team/app', 'other')]) {
      expect((await ask('GET', one)).body).toEqual(first.body);
    }
    expect(upstream.asked()).toEqual([]);
  });

  it('says so with the word of a server; what a registry says of a repository holds for that one only', async () => {
    const { ask, upstream } = createScene();
    upstream.on('GET', target, errorAnswer(404, 'NAME_UNKNOWN'));
    await ask('GET', target);
    const other = target.replace('team/app', 'other');
    upstream.on('GET', other, index(entry('a')));
    expect(names(await ask('GET', other))).toEqual([1]);
  });
});

describe('the fallback tag beside a list of the registry', () => {
  const old = entry('old');
  const gone = entry('gone!');
  const dual = (settings = {}) => {
    const scene = createScene({ settings });
    scene.upstream.on('GET', target, index(entry('a')));
    scene.upstream.on('GET', `${target}?artifactType=example/sbom`, index(entry('a')));
    scene.upstream.on('GET', tagged, index(entry('a'), old, gone, entry('zz', 'example/other')));
    for (const { digest: one } of [old, entry('zz')])
      scene.upstream.on('HEAD', `/v2/team/app/manifests/${one}`, {
        status: 200,
        headers: [['Docker-Content-Digest', one]],
      });
    return scene;
  };

  it('adds what is there and the list lacks, each once, and filtered as the list is', async () => {
    const { ask } = dual();
    const merged = await ask('GET', target);
    expect(names(merged)).toEqual([1, 3, 2]);
    expect(merged.header('Content-Length')).toBe(String(merged.body.length));
    expect(merged.fixes.map(({ note }) => note)).toContain('added referrers that only the fallback tag lists');
    expect(names(await ask('GET', `${target}?artifactType=example/sbom`))).toEqual([1, 3]);
  });

  it.each([
    ['left alone by choice', { mode: 'on', options: { fallbackTag: 'leave' } }],
    ['only observed', { mode: 'observe', options: {} }],
    ['off', { mode: 'off', options: {} }],
  ])('leaves the list as it is when %s', async (_, setting) => {
    const { ask } = dual({ 'referrers-misbehaviour': setting });
    expect(names(await ask('GET', target))).toEqual([1]);
  });

  it('leaves a page and a list without an answer about it as they are', async () => {
    const paged = dual();
    paged.upstream.on('GET', target, {
      ...index(entry('a')),
      headers: [...typed, ['Link', `<${target}?last=x>; rel="next"`]],
    });
    paged.upstream.on('GET', `${target}?last=x`, index(entry('bb')));
    expect(names(await paged.ask('GET', target))).toEqual([1]);
    expect(names(await paged.ask('GET', `${target}?last=x`))).toEqual([2]);
    for (const failing of [tagged, `/v2/team/app/manifests/${old.digest}`]) {
      const { ask, upstream } = dual();
      upstream.on('GET HEAD', failing, errorAnswer(503, 'UNAVAILABLE'));
      expect(names(await ask('GET', target))).toEqual([1]);
    }
  });
});

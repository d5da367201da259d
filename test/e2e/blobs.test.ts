import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barrier, eventually } from '../support/deadline.ts';
import { headerValue } from '../support/headers.ts';
import { exchange } from '../support/http.ts';
import { sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { fin, head, respond, rst, send, waitFor } from '../support/script-steps.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { fromCache } from './answers.ts';
import { freshBytes, openAnswer } from './streaming-client.ts';

const MIB = 1024 * 1024;

describe('cold blobs', () => {
  let upstream: ScriptedUpstream;
  let manifix: Manifix;

  beforeAll(async () => {
    upstream = await startScriptedUpstream();
    manifix = await startManifix({ upstream: upstream.url });
  });
  afterAll(() => Promise.all([manifix.stop(), upstream.stop()]));

  const pathOf = (digest: string, repository = 'app') => `/v2/${repository}/blobs/${digest}`;
  const matching = (digest: string, repository = 'app') => new RegExp(`^${pathOf(digest, repository)}$`);
  const requestsFor = (digest: string, method: string) =>
    upstream.requests.filter((request) => request.target.endsWith(digest) && request.method === method);
  /** Names of all files of the cache that have to do with a digest. */
  async function filesOf(digest: string): Promise<string[]> {
    const names = await readdir(manifix.cacheDir, { recursive: true });
    return names.filter((name) => name.includes(digest.slice('sha256:'.length)));
  }
  /** Answers HEAD as well, with which callers prove that they may read. */
  function serve(bytes: Buffer, repository = 'app'): string {
    const digest = sha256(bytes);
    upstream.on('HEAD', matching(digest, repository), [respond(200, [], bytes)]);
    upstream.on('GET', matching(digest, repository), [respond(200, [], bytes)]);
    return digest;
  }

  it('reach the client before the registry has sent the end', async () => {
    const bytes = freshBytes(MIB);
    const digest = sha256(bytes);
    const end = barrier();
    upstream.on('GET', matching(digest), [
      head(200, [`Content-Length: ${MIB}`]),
      send(bytes.subarray(0, MIB / 2)),
      waitFor(end),
      send(bytes.subarray(MIB / 2)),
    ]);
    const answer = await openAnswer(`${manifix.url}${pathOf(digest)}`);
    expect([answer.status, answer.headers['content-length']]).toEqual([200, String(MIB)]);
    const early = await answer.received(MIB / 4);
    expect(early).toEqual(bytes.subarray(0, early.length));
    end.release();
    expect(sha256(await answer.whole())).toBe(digest);
  });

  it.each([
    [
      'other bytes of the same length',
      (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.of(~(bytes.at(-1) ?? 0))]),
    ],
    ['fewer bytes', (bytes: Buffer) => bytes.subarray(0, -1000)],
    ['more bytes', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('more')])],
  ])('never complete when the registry sends %s, and leave nothing behind', async (_, spoil) => {
    const bytes = freshBytes(3 * MIB);
    const digest = sha256(bytes);
    const wrong = spoil(bytes);
    upstream.on('GET', matching(digest), [respond(200, [], wrong)]);
    const answer = await openAnswer(`${manifix.url}${pathOf(digest)}`);
    await expect(answer.whole()).rejects.toThrow('the body was cut off');
    expect(answer.length).toBeLessThan(wrong.length);
    const again = await exchange(manifix.url, { target: pathOf(digest) });
    expect(again.status).toBe(502);
    await eventually('nothing is left', async () => (await filesOf(digest)).length === 0 || undefined);
  });

  it('are completed from where a connection broke off', async () => {
    const bytes = freshBytes(MIB);
    const digest = sha256(bytes);
    const half = MIB / 2;
    upstream.once('GET', matching(digest), [
      head(200, [`Content-Length: ${MIB}`, 'Accept-Ranges: bytes', `ETag: "${digest}"`]),
      send(bytes.subarray(0, half)),
      fin(),
    ]);
    upstream.on('GET', matching(digest), [
      head(206, [`Content-Length: ${half}`, `Content-Range: bytes ${half}-${MIB - 1}/${MIB}`, `ETag: "${digest}"`]),
      send(bytes.subarray(half)),
    ]);
    const answer = await openAnswer(`${manifix.url}${pathOf(digest)}`);
    expect(sha256(await answer.whole())).toBe(digest);
    expect(headerValue(requestsFor(digest, 'GET')[1]?.headers ?? [], 'Range')).toBe(`bytes=${half}-`);
  });

  it('are fetched once for all who read them at the same time', async () => {
    const bytes = freshBytes(2 * MIB);
    const digest = sha256(bytes);
    const started = barrier();
    upstream.on('HEAD', matching(digest), [respond(200, [], bytes)]);
    upstream.on('GET', matching(digest), [
      head(200, [`Content-Length: ${bytes.length}`]),
      send(bytes.subarray(0, MIB)),
      waitFor(started),
      send(bytes.subarray(MIB)),
    ]);
    const url = `${manifix.url}${pathOf(digest)}`;
    const answers = await Promise.all(Array.from({ length: 20 }, () => openAnswer(url)));
    await Promise.all(answers.map((answer) => answer.received(1)));
    // Some leave early, which is nobody else's business.
    for (const answer of answers.slice(0, 5)) answer.leave();
    started.release();
    for (const answer of answers.slice(5)) expect(sha256(await answer.whole())).toBe(digest);
    expect(requestsFor(digest, 'GET')).toHaveLength(1);
  });

  it('are joined only by callers whom the registry lets read the repository', async () => {
    const bytes = freshBytes(MIB);
    const digest = sha256(bytes);
    const end = barrier();
    upstream.on('HEAD', matching(digest, 'hers'), [respond(401, [['WWW-Authenticate', 'Basic realm="r"']])]);
    upstream.once('GET', matching(digest, 'hers'), [
      head(200, [`Content-Length: ${MIB}`]),
      send(bytes.subarray(0, 1000)),
      waitFor(end),
      send(bytes.subarray(1000)),
    ]);
    // Everybody after her is a stranger.
    upstream.on('GET', matching(digest, 'hers'), [respond(401, [['WWW-Authenticate', 'Basic realm="r"']])]);
    const url = `${manifix.url}${pathOf(digest, 'hers')}`;
    const reader = await openAnswer(url, { headers: { Authorization: 'Basic aGVyczpzZWNyZXQ=' } });
    const stranger = await exchange(manifix.url, { target: pathOf(digest, 'hers') });
    expect([stranger.status, stranger.header('WWW-Authenticate')]).toEqual([401, 'Basic realm="r"']);
    end.release();
    expect(sha256(await reader.whole())).toBe(digest);
    expect((await exchange(manifix.url, { target: pathOf(digest, 'hers') })).status).toBe(401);
    expect((await exchange(manifix.url, { target: pathOf(digest, 'elsewhere') })).status).toBe(404);
  });

  it('are an OCI error while the registry resets connections, and are fetched when it has stopped', async () => {
    const bytes = freshBytes(1000);
    const digest = sha256(bytes);
    for (let reset = 0; reset < 10; reset += 1) upstream.once('GET', matching(digest), [rst()]);
    upstream.on('GET', matching(digest), [respond(200, [], bytes)]);
    const answers = [await exchange(manifix.url, { target: pathOf(digest) })];
    expect(answers[0]?.status).toBe(502);
    expect(answers[0]?.header('Content-Type')).toMatch(/^application\/json/);
    while (answers.length <= 10 && answers.at(-1)?.status !== 200) {
      answers.push(await exchange(manifix.url, { target: pathOf(digest) }));
    }
    expect(answers.at(-1)?.body).toEqual(bytes);
  });

  it('pass a part of them on from the registry, unstored', async () => {
    const bytes = freshBytes(1000);
    const digest = sha256(bytes);
    upstream.on('GET', matching(digest), [
      respond(206, [['Content-Range', 'bytes 10-19/1000']], bytes.subarray(10, 20)),
    ]);
    const answer = await exchange(manifix.url, { target: pathOf(digest), headers: { Range: 'bytes=10-19' } });
    expect([answer.status, answer.header('Content-Range')]).toEqual([206, 'bytes 10-19/1000']);
    expect(answer.body).toEqual(bytes.subarray(10, 20));
    expect(headerValue(requestsFor(digest, 'GET')[0]?.headers ?? [], 'Range')).toBe('bytes=10-19');
    expect(await filesOf(digest)).toEqual([]);
  });

  it('are stored under their digest, and read from there by all who may', async () => {
    const digest = serve(freshBytes(MIB));
    const target = pathOf(digest);
    expect((await exchange(manifix.url, { target })).header('Cache-Status')).toBe('manifix; fwd=miss; stored');
    await fromCache(() => exchange(manifix.url, { target }));
    expect(await filesOf(digest)).toHaveLength(1);
    const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(manifix.url, { target })));
    expect(answers.map(({ body }) => sha256(body))).toEqual(Array.from({ length: 20 }, () => digest));
    expect(requestsFor(digest, 'GET')).toHaveLength(1);
  });
});

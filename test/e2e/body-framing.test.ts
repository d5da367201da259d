import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { headerValue } from '../support/headers.ts';
import { exchange } from '../support/http.ts';
import { sha256 } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';
import { readBody, respond } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';
import { firstError } from './registry-errors.ts';
import { answerTo, freshBytes, startRequest } from './streaming-client.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const STREAM = { 'Content-Type': 'application/octet-stream' };

/** A blob of 1 MiB, as the clients send layers. */
const blob = freshBytes(MIB);
const digest = sha256(blob);

interface Server {
  readonly url: string;
}

/** Sends a body in pieces, with or without saying its length first. */
async function send(url: string, method: string, body: Buffer, sized: boolean) {
  const headers = {
    ...STREAM,
    ...(sized ? { 'Content-Length': String(body.length) } : { 'Transfer-Encoding': 'chunked' }),
  };
  const outgoing = startRequest(url, { method, headers });
  for (let at = 0; at < body.length; at += 50_000) outgoing.write(body.subarray(at, at + 50_000));
  outgoing.end();
  const answer = await answerTo(outgoing);
  return { status: answer.statusCode ?? 0, location: answer.headers.location ?? '', body: await buffer(answer) };
}

async function open(server: Server, repository: string): Promise<string> {
  const opened = await exchange(server.url, { method: 'POST', target: `/v2/${repository}/blobs/uploads/` });
  return new URL(opened.header('Location') ?? '', server.url).href;
}

/** Uploads as docker does: a PATCH with everything, then a PUT without content. Gives the statuses. */
async function byPatch(server: Server, repository: string, sized = false, body = blob): Promise<number[]> {
  const patched = await send(await open(server, repository), 'PATCH', body, sized);
  if (patched.status !== 202) return [patched.status];
  const target = new URL(patched.location, server.url).href.slice(server.url.length);
  const put = await exchange(server.url, { method: 'PUT', target: `${target}&digest=${sha256(body)}` });
  return [patched.status, put.status];
}

/** Uploads as containerd does: all content with the PUT. */
async function byPut(server: Server, repository: string, sized = false): Promise<number[]> {
  return [(await send(`${await open(server, repository)}&digest=${digest}`, 'PUT', blob, sized)).status];
}

/** Uploads with a single POST. */
async function byPost(server: Server, repository: string, sized = false): Promise<number[]> {
  return [(await send(`${server.url}/v2/${repository}/blobs/uploads/?digest=${digest}`, 'POST', blob, sized)).status];
}

describe('an upload to a registry that does not take the body', () => {
  let injector: DefectInjector;

  beforeAll(async () => {
    injector = await startDefectInjector();
  });
  afterAll(() => injector.stop());

  const isStored = (repository: string) => injector.content.blob(repository, digest)?.equals(blob) === true;
  /** The requests with content that a repository got. */
  const contentOf = (repository: string) =>
    injector.requests.filter(({ path, body }) => path.startsWith(`/v2/${repository}/`) && body.length > 0);
  const toInjector = (limits?: object) =>
    limits === undefined
      ? startManifix({ upstream: injector.url })
      : startManifix({ config: { upstreams: { registry: { url: injector.url, limits } } } });

  it.each([
    ['p-411', 'by PATCH', false, byPatch, 411, [202, 201]],
    ['p-64k', 'by PATCH', true, byPatch, 413, [202, 201]],
    ['p-64k', 'by PATCH', false, byPatch, 413, [202, 201]],
    ['p-411-64k', 'by PATCH', false, byPatch, 411, [202, 201]],
    ['p-411-64k', 'by PUT', false, byPut, 411, [201]],
    ['p-64k', 'by POST', true, byPost, 413, [201]],
  ] as const)(
    '%s: %s, with a length (%s), it arrives the first time',
    async (defect, how, sized, push, refusal, success) => {
      await using manifix = await toInjector();
      const repository = `${defect}/${sized ? 'sized' : 'chunked'}-${how.replaceAll(' ', '-').toLowerCase()}`;
      expect((await push(injector, `${defect}/direct`, sized)).at(-1)).toBe(refusal);
      expect(await push(manifix, repository, sized)).toEqual(success);
      expect(isStored(repository)).toBe(true);
    },
  );

  it('is remembered: the next upload comes in chunks that the registry takes, one behind the other', async () => {
    await using manifix = await toInjector();
    await byPatch(manifix, 'p-411-64k/first');
    const { body } = await exchange(manifix.adminUrl, { target: '/metrics' });
    expect(body.toString()).toContain('manifix_upstream_defects{upstream="default",fix="body-framing-limits"} 1');
    expect(await byPatch(manifix, 'p-411-64k/second')).toEqual([202, 201]);
    const chunks = contentOf('p-411-64k/second');
    expect(
      chunks.map((chunk) => [chunk.method, chunk.body.length, headerValue(chunk.headers, 'Content-Range')]),
    ).toEqual(Array.from({ length: 16 }, (_, at) => ['PATCH', 65_536, `${at * 65_536}-${(at + 1) * 65_536 - 1}`]));
    expect(contentOf('p-411-64k/first').length).toBeGreaterThan(16);
  });

  it('is cut from the start where the limit is configured', async () => {
    await using manifix = await toInjector({ maxRequestBody: '64KiB' });
    expect(await byPut(manifix, 'p-64k/configured', true)).toEqual([201]);
    expect(contentOf('p-64k/configured').map(({ body }) => body.length)).toEqual(
      Array.from({ length: 16 }, () => 65_536),
    );
    const small = Buffer.from('small');
    expect(await byPatch(manifix, 'p-64k/small', false, small)).toEqual([202, 201]);
    expect(
      contentOf('p-64k/small').map(({ method, headers }) => [method, headerValue(headers, 'Content-Length')]),
    ).toEqual([['PATCH', '5']]);
  });

  it('is cut into no smaller chunks than the registry asks for', async () => {
    await using manifix = await toInjector({ maxRequestBody: '64KiB' });
    expect(await byPatch(manifix, 'p-min-chunk/patch')).toEqual([202, 201]);
    expect(await byPost(manifix, 'p-min-chunk/post')).toEqual([201]);
    for (const repository of ['p-min-chunk/patch', 'p-min-chunk/post']) {
      expect(contentOf(repository).map(({ body }) => body.length)).toEqual(Array.from({ length: 4 }, () => 262_144));
      expect(isStored(repository)).toBe(true);
    }
  });

  it('is explained when its start is gone, and arrives when it is pushed again', async () => {
    await using manifix = await toInjector();
    const large = freshBytes(12 * MIB);
    const refused = await send(await open(manifix, 'p-411/large'), 'PATCH', large, false);
    expect([refused.status, firstError(refused.body).explanation]).toEqual([
      411,
      expect.stringContaining('push again'),
    ]);
    expect(await byPatch(manifix, 'p-411/large', false, large)).toEqual([202, 201]);
  });

  it.each([
    ['observe', 1],
    ['off', 0],
  ] as const)('is left alone with the fix in mode %s', async (mode, proven) => {
    const config = { upstreams: { registry: { url: injector.url } }, fixes: { 'body-framing-limits': mode } };
    await using manifix = await startManifix({ config });
    expect(await byPatch(manifix, 'p-411/alone')).toEqual([411]);
    expect(await byPatch(manifix, 'p-411/alone')).toEqual([411]);
    const { body } = await exchange(manifix.adminUrl, { target: '/metrics' });
    expect(body.toString().match(/^manifix_upstream_defects\{/gm)?.length ?? 0).toBe(proven);
  });

  it('is refused as it was when even small chunks are', async () => {
    await using manifix = await toInjector();
    injector.content.putBlob('p-healthy/x', blob);
    const answer = await send(await open(manifix, 'p-none'), 'PATCH', freshBytes(128 * KIB), true);
    expect([answer.status, firstError(answer.body).explanation]).toEqual([
      413,
      expect.stringContaining('client_max_body_size'),
    ]);
    expect(contentOf('p-none').map(({ body }) => body.length / KIB)).toEqual([128, 64, 32, 16]);
  });

  it('is streamed as it comes to a healthy registry', async () => {
    await using manifix = await toInjector();
    expect(await byPatch(manifix, 'p-healthy/app')).toEqual([202, 201]);
    expect(contentOf('p-healthy/app').map(({ headers }) => headerValue(headers, 'Transfer-Encoding'))).toEqual([
      'chunked',
    ]);
  });
});

describe('an upload in chunks', () => {
  it('holds one of them and no more, however large it is, and frees the registry when the client leaves', async () => {
    await using upstream = await startScriptedUpstream();
    const limits = { maxRequestBody: '4MiB' };
    await using manifix = await startManifix({ config: { upstreams: { registry: { url: upstream.url, limits } } } });
    const resident = async () => {
      const { body } = await exchange(manifix.adminUrl, { target: '/metrics' });
      return Number(/^process_resident_memory_bytes (\d+)$/m.exec(body.toString())?.[1]);
    };
    upstream.onHead('PATCH', /uploads\/large/, [
      readBody(),
      respond(202, [['Location', '/v2/app/blobs/uploads/large?_state=x']]),
    ]);
    const outgoing = startRequest(`${manifix.url}/v2/app/blobs/uploads/large?_state=x`, { headers: STREAM });
    const piece = freshBytes(MIB);
    const before = await resident();
    for (let written = 0; written < 256; written += 1) if (!outgoing.write(piece)) await once(outgoing, 'drain');
    expect((await resident()) - before).toBeLessThan(100 * MIB);
    outgoing.destroy();
    await manifix.outputMatches(/"clientLeft":true|clientLeft/);
  });
});

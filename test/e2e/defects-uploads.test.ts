import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { fixesOf } from './answers.ts';
import { firstError } from './registry-errors.ts';

const blob = Buffer.from('0123456789');
const digest = sha256(blob);
const STREAM = { 'Content-Type': 'application/octet-stream' };

describe('defects of uploads', () => {
  let injector: DefectInjector;
  let manifix: Manifix;

  beforeAll(async () => {
    injector = await startDefectInjector();
    manifix = await startManifix({ upstream: injector.url });
  });
  afterAll(() => Promise.all([manifix.stop(), injector.stop()]));

  const open = (server: { url: string }, repository: string, query = '', headers = {}): Promise<HttpAnswer> =>
    exchange(server.url, { method: 'POST', target: `/v2/${repository}/blobs/uploads/${query}`, headers });
  /** Sends the next step to where the last answer leads. */
  function next(last: HttpAnswer, server: { url: string }, method: string, suffix = '', body?: Buffer) {
    const { pathname, search } = new URL(last.header('Location') ?? '', server.url);
    const target = `${pathname}${search}${suffix}`;
    return exchange(server.url, { method, target, headers: STREAM, ...(body && { body }) });
  }
  /** All steps of an upload in one chunk, with a question about its state. */
  async function steps(server: { url: string }, repository: string): Promise<HttpAnswer[]> {
    const opened = await open(server, repository);
    const patched = await next(opened, server, 'PATCH', '', blob);
    const state = await next(patched, server, 'GET');
    return [opened, patched, state, await next(patched, server, 'PUT', `&digest=${digest}`)];
  }
  const statuses = (answers: readonly HttpAnswer[]) => answers.map(({ status }) => status);
  const isStored = (repository: string) => injector.content.blob(repository, digest) !== undefined;

  it.each([
    ['p-post200', [200, 202, 204, 201]],
    ['p-patch201', [202, 201, 204, 201]],
    ['p-get200', [202, 202, 200, 201]],
    ['p-200', [202, 202, 204, 200]],
    ['p-204', [202, 202, 204, 204]],
  ])('%s: each step is answered with its own status', async (defect, direct) => {
    expect(statuses(await steps(injector, defect))).toEqual(direct);
    const through = await steps(manifix, `${defect}/app`);
    expect(statuses(through)).toEqual([202, 202, 204, 201]);
    expect(through.flatMap(fixesOf)).toContain('upload-status-variants');
    expect(isStored(`${defect}/app`)).toBe(true);
  });

  it('p-patch-finishes: a blob that is stored with its last chunk may still be finished', async () => {
    const direct = await open(injector, 'p-patch-finishes');
    expect(statuses([await next(direct, injector, 'PATCH', '', blob)])).toEqual([201]);
    expect(statuses([await next(direct, injector, 'PUT', `&digest=${digest}`)])).toEqual([404]);
    const opened = await open(manifix, 'p-patch-finishes/app');
    const patched = await next(opened, manifix, 'PATCH', '', blob);
    const put = await next(patched, manifix, 'PUT', `&digest=${digest}`);
    expect(statuses([opened, patched, put])).toEqual([202, 202, 201]);
    expect(put.header('Location')).toBe(`${manifix.url}/v2/p-patch-finishes/app/blobs/${digest}`);
    expect([put.header('Docker-Content-Digest'), put.body.length]).toEqual([digest, 0]);
    // What was sent is not what is asked for, and that a blob of this digest exists is no excuse.
    const other = await next(await open(manifix, 'p-patch-finishes/app'), manifix, 'PATCH', '', Buffer.from('other'));
    expect((await next(other, manifix, 'PUT', `&digest=${digest}`)).status).toBe(404);
  });

  it.each([
    ['p-range-unit', 'bytes=0-0', 'bytes=0-9'],
    ['p-norange', undefined, undefined],
  ])('%s: Range says how much arrived, without a unit', async (defect, atFirst, afterwards) => {
    const [opened, patched] = await steps(injector, defect);
    expect([opened?.header('Range'), patched?.header('Range')]).toEqual([atFirst, afterwards]);
    const through = await steps(manifix, `${defect}/app`);
    expect(through.map((answer) => answer.header('Range'))).toEqual(['0-0', '0-9', '0-9', undefined]);
  });

  it.each(['bytes 0-9/10', 'bytes=0-9', '0-9/10', '0-10', 'bytes */10'])(
    'p-strict-range: a chunk with Content-Range %s is taken',
    async (range) => {
      const chunk = async (server: { url: string }) => {
        const opened = await open(server, 'p-strict-range');
        const { pathname, search } = new URL(opened.header('Location') ?? '', server.url);
        const headers = { ...STREAM, 'Content-Range': range };
        return exchange(server.url, { method: 'PATCH', target: pathname + search, headers, body: blob });
      };
      expect((await chunk(injector)).status).toBe(416);
      const patched = await chunk(manifix);
      expect([patched.status, fixesOf(patched).includes('content-range-variants')]).toEqual([202, true]);
      expect((await next(patched, manifix, 'PUT', `&digest=${digest}`)).status).toBe(201);
    },
  );

  it('p-any-range: a chunk that is sent twice does not spoil the blob', async () => {
    const twice = async (server: { url: string }, repository: string) => {
      const first = await next(await open(server, repository), server, 'PATCH', '', blob.subarray(0, 5));
      const { pathname, search } = new URL(first.header('Location') ?? '', server.url);
      const headers = { ...STREAM, 'Content-Range': '0-4' };
      const second = await exchange(server.url, {
        method: 'PATCH',
        target: pathname + search,
        headers,
        body: blob.subarray(0, 5),
      });
      const last = await next(second, server, 'PATCH', '', blob.subarray(5));
      return { second, put: await next(last, server, 'PUT', `&digest=${digest}`) };
    };
    const direct = await twice(injector, 'p-any-range');
    expect(statuses([direct.second, direct.put])).toEqual([202, 400]);
    const through = await twice(manifix, 'p-any-range/app');
    expect(statuses([through.second, through.put])).toEqual([416, 201]);
    expect(through.second.header('Range')).toBe('0-4');
    expect(firstError(through.second.body).explanation).toContain('Go on with byte 5');
    expect(isStored('p-any-range/app')).toBe(true);
  });

  describe.each(['p-mount400', 'p-mount401', 'p-mount403', 'p-mount404', 'p-mount405', 'p-mount500'])(
    '%s',
    (defect) => {
      const query = `?mount=${digest}&from=p-healthy/base`;
      const credentials = { Authorization: 'Bearer some-token' };

      it('refuses to mount; through manifix the blob can be uploaded', async () => {
        const direct = await open(injector, defect, query, credentials);
        expect(direct.status).toBe(Number(defect.slice(-3)));
        const opened = await open(manifix, defect, query, credentials);
        expect([opened.status, fixesOf(opened).includes('mount-fallback')]).toEqual([202, true]);
        expect((await next(opened, manifix, 'PUT', `&digest=${digest}`, blob)).status).toBe(201);
        expect(isStored(defect)).toBe(true);
      });
    },
  );

  it.each(['observe', 'off'])('a refused mount is left alone with the fix in mode %s', async (mode) => {
    const config = { upstreams: { registry: { url: injector.url } }, fixes: { 'mount-fallback': mode } };
    await using own = await startManifix({ config });
    const answer = await open(own, 'p-mount403', `?mount=${digest}&from=p-healthy/base`);
    expect([answer.status, firstError(answer.body).code, fixesOf(answer)]).toEqual([
      403,
      'DENIED',
      expect.not.arrayContaining(['mount-fallback']),
    ]);
  });

  it('a mount without credentials is answered with the challenge', async () => {
    const answer = await open(manifix, 'p-mount401', `?mount=${digest}&from=p-healthy/base`);
    expect([answer.status, answer.header('WWW-Authenticate')]).toEqual([401, expect.stringContaining('other:pull')]);
  });

  it('a mount that cannot be replaced either is answered as the registry answered the mount', async () => {
    const answer = await open(manifix, 'p-mount-and-push403', `?mount=${digest}&from=p-healthy/base`);
    expect([answer.status, firstError(answer.body).message]).toEqual([403, 'no mount for you']);
  });

  it('a mount that the registry can do is left to it, without the hint at another registry', async () => {
    injector.content.putBlob('p-healthy/base', blob);
    const mounted = await open(manifix, 'p-healthy/app', `?mount=${digest}&from=p-healthy/base&origin=docker.io`);
    expect([mounted.status, mounted.header('Docker-Content-Digest')]).toEqual([201, digest]);
    const sent = await injector.requestArrived(({ path }) => path.startsWith('/v2/p-healthy/app/'));
    expect(sent.target).toBe(`/v2/p-healthy/app/blobs/uploads/?mount=${digest}&from=p-healthy/base`);
  });

  it('healthy steps are left alone', async () => {
    const through = await steps(manifix, 'p-healthy/steps');
    expect(statuses(through)).toEqual([202, 202, 204, 201]);
    const repairs = through.flatMap(fixesOf).filter((id) => id !== 'location-origin' && id !== 'api-version-header');
    expect(repairs).toEqual([]);
  });
});

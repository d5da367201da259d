import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import { createEndpointRoutes } from '../../src/http/endpoint-routes.ts';
import { createDispatch } from '../../src/pipeline/dispatch.ts';
import { barrier, within } from '../support/deadline.ts';
import { fakeServices } from '../support/fakes.ts';
import { exchange } from '../support/http.ts';
import { okAnswer, parseAnswer, startEdge, talk } from './edge.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const get = (target: string, ...lines: string[]) => [`GET ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n');
const clientHello = Buffer.from(`16030100${'c8'}010000${'c4'}0303${'ab'.repeat(192)}`, 'hex');

describe('a connection that does not speak HTTP', () => {
  it.each([
    ['a TLS handshake', clientHello, 400],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n', 400],
    ['a method that does not exist', 'FROB /v2/ HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['an invalid field', get('/v2/', 'Host: x', 'Bad Name: 1'), 400],
    ['two lengths', 'PUT /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    ['fields of more than 64 KiB', get('/v2/', 'Host: x', `X-Long: ${'x'.repeat(70_000)}`), 431],
    ['a target of more than 64 KiB', get(`/v2/?${'x'.repeat(70_000)}`, 'Host: x'), 431],
  ])('hears the reason as an OCI error over HTTP: %s', async (_, bytes, status) => {
    await using edge = await startEdge();
    const answer = parseAnswer(await talk(edge.port, bytes));
    expect(answer).toMatchObject({ status, contentType: JSON_TYPE, error: { code: 'UNSUPPORTED' } });
    expect(edge.exchanges).toEqual([]);
  });

  it('is cut, not talked to, in the middle of an answer', async () => {
    const gate = barrier();
    await using edge = await startEdge(async () => {
      let chunks = 0;
      const next = async () => {
        chunks += 1;
        if (chunks === 2) await gate.passed;
        return chunks < 3 ? Buffer.from('half') : undefined;
      };
      const reader = { next, close: () => {} };
      return { status: 200, headers: [['Content-Length', '8']], body: { kind: 'blob', reader } };
    });
    const socket = connect({ port: edge.port, host: '127.0.0.1' }).on('error', () => {});
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk;
    });
    socket.write(get('/v2/', 'Host: x'));
    await within('the first half', once(socket, 'data'));
    const closed = once(socket, 'close');
    socket.write('this is no request\r\n\r\n');
    await within('the end of the connection', closed);
    gate.release();
    expect(heard).toMatch(/\r\n\r\nhalf$/);
  });
});

describe('a request that cannot be served', () => {
  const lines = ['Host: registry.test', 'Connection: close'];

  it.each([
    ['no Host', get('/v2/', 'Connection: close'), 400],
    ['two of them', get('/v2/', 'Host: a', ...lines), 400],
    ['an empty Host', get('/v2/', 'Host:', 'Connection: close'), 400],
    ['a malformed Host', get('/v2/', 'Host: a/b', 'Connection: close'), 400],
    ['HTTP/1.0 with two of them', 'GET /v2/ HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n', 400],
    ['a backslash', get('/v2/a\\b/manifests/x', ...lines), 400],
    ['dot segments', get('/v2/../x', ...lines), 400],
    ['an asterisk', `OPTIONS * HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 400],
    ['no path under /v2/', get('/metrics', ...lines), 404],
    ['a foreign scheme', get('ftp://registry.test/v2/', ...lines), 400],
  ])('is answered with an OCI error and one log line: %s', async (_, text, status) => {
    await using edge = await startEdge();
    expect(parseAnswer(await talk(edge.port, text))).toMatchObject({ status, contentType: JSON_TYPE });
    expect(edge.finished.all.map((request) => request.status)).toEqual([status]);
    expect(edge.exchanges).toEqual([]);
  });

  it('is 405 with a method that registries have no use for', async () => {
    await using edge = await startEdge(createDispatch(fakeServices()));
    const answer = await exchange(edge.url, { method: 'TRACE', target: '/v2/' });
    expect(answer.status).toBe(405);
    expect(JSON.parse(answer.body.toString()).errors[0].code).toBe('UNSUPPORTED');
    expect(edge.finished.all).toMatchObject([{ method: 'TRACE', status: 405, kind: 'base' }]);
  });

  it('is 404 for a host that no endpoint has', async () => {
    await using edge = await startEdge(undefined, { endpoints: createEndpointRoutes([]) });
    const answer = await exchange(edge.url, { target: '/v2/', headers: { Host: 'Other.test' } });
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body.toString()).errors[0]).toMatchObject({
      code: 'NAME_UNKNOWN',
      detail: { host: 'other.test' },
    });
    expect(edge.finished.all).toMatchObject([{ endpoint: '', kind: 'base', status: 404 }]);
  });
});

describe('a request', () => {
  it('reaches the use case as it was sent, and its answer the client with the capitals it has', async () => {
    await using edge = await startEdge(async () => ({
      ...okAnswer,
      headers: [
        ['X-CamelCase', '1'],
        ['docker-Odd', '2'],
      ],
    }));
    const headers = [
      ['host', 'Registry.test:5000'],
      ['ACCEPT', 'a'],
      ['ACCEPT', 'b'],
      ['Authorization', 'Basic YTph'],
    ] as const;
    const answer = await exchange(edge.url, { target: '/v2/team/app/manifests/v1?a=b?c', headers });
    expect(answer.headers.slice(0, 2)).toEqual([
      ['X-CamelCase', '1'],
      ['docker-Odd', '2'],
    ]);
    expect(edge.exchanges).toHaveLength(1);
    expect(edge.exchanges[0]).toMatchObject({
      clientOrigin: 'http://Registry.test:5000',
      request: { method: 'GET', query: 'a=b?c', hasBody: false, route: { kind: 'manifest', repository: 'team/app' } },
      caller: { anonymous: false },
    });
    expect(edge.exchanges[0]?.request.headers.slice(0, 4)).toEqual(headers);
    expect(edge.exchanges[0]?.request.clientHeaders.slice(0, 4)).toEqual(headers);
  });

  it('of HTTP/1.0 needs no Host: it means the address that it reached', async () => {
    await using edge = await startEdge();
    expect(await talk(edge.port, 'GET /v2/ HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
    expect(edge.exchanges).toMatchObject([{ clientOrigin: edge.url }]);
  });

  it('may have its target in absolute form, whose credentials are not logged', async () => {
    await using edge = await startEdge();
    const heard = await talk(
      edge.port,
      get('http://u:secret@registry.test/v2/?q', 'Host: registry.test', 'Connection: close'),
    );
    expect(heard).toMatch(/^HTTP\/1\.1 200 /);
    expect(edge.finished.all).toMatchObject([{ path: '/v2/', kind: 'base', status: 200 }]);
  });

  it.each([
    [{ 'Content-Length': '0' }, false],
    [{ 'Content-Length': '3' }, true],
    [{ 'Transfer-Encoding': 'chunked' }, true],
    [{}, false],
  ])('with %j says whether a body follows', async (headers: Record<string, string>, hasBody) => {
    await using edge = await startEdge();
    const body = hasBody ? 'abc' : '';
    await exchange(edge.url, { method: 'DELETE', target: '/v2/team/app/tags/list', headers, body });
    expect(edge.exchanges[0]?.request.hasBody).toBe(hasBody);
  });

  it('with HEAD has the fields of the answer and no body, and the connection stays of use', async () => {
    await using edge = await startEdge();
    const request = (method: string, more = '') => `${method} /v2/ HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
    const heard = await talk(edge.port, request('HEAD') + request('GET', 'Connection: close\r\n'));
    const [head = '', second = '', body = ''] = heard.split('\r\n\r\n');
    expect(head).toContain('Content-Length: 2');
    expect(second).toMatch(/^HTTP\/1\.1 200 /);
    expect(body).toBe('ok');
    expect(edge.exchanges.map(({ request: { method } }) => method)).toEqual(['HEAD', 'GET']);
  });

  it('learns of a use case that fails as 500, and the log of the cause', async () => {
    const failure = new TypeError('not a function');
    await using edge = await startEdge(() => Promise.reject(failure));
    const answer = await exchange(edge.url, { target: '/v2/' });
    expect(answer.status).toBe(500);
    expect(answer.header('Content-Type')).toBe(JSON_TYPE);
    expect(answer.body.toString()).not.toContain('not a function');
    expect(edge.finished.all).toMatchObject([{ status: 500, error: failure }]);
  });

  it('learns of a refusal with its status, code, explanation and fields', async () => {
    await using edge = await startEdge(async () => {
      const headers = [['Retry-After', '3']] as const;
      throw new RegistryError('TOOMANYREQUESTS', { explanation: 'Wait.', fix: 'opaque-errors', headers });
    });
    const answer = await exchange(edge.url, { target: '/v2/' });
    expect(answer.status).toBe(429);
    expect(answer.header('Retry-After')).toBe('3');
    const [error] = JSON.parse(answer.body.toString()).errors;
    expect(error).toMatchObject({
      code: 'TOOMANYREQUESTS',
      detail: { manifix: 'Wait. See docs/fixes/opaque-errors.md.' },
    });
  });
});

describe('the record of a request', () => {
  it('is made once, with what an operator needs and without query and credentials', async () => {
    await using edge = await startEdge(async ({ applied }) => {
      applied.push({ id: 'some-fix', mode: 'on', note: 'did it' });
      return { ...okAnswer, cache: 'hit' };
    });
    const headers = { 'User-Agent': 'test/1', Authorization: 'Basic c2VjcmV0', Cookie: 'secret' };
    await exchange(edge.url, { target: '/v2/team/app/tags/list?n=secret', headers });
    const request = await edge.finished.first('the record', () => true);
    expect(request).toEqual({
      id: expect.stringMatching(/^[\w-]{8}-1$/),
      endpoint: 'default',
      kind: 'tags',
      method: 'GET',
      path: '/v2/team/app/tags/list',
      repository: 'team/app',
      status: 200,
      cache: 'hit',
      bytesSent: 2,
      seconds: expect.any(Number),
      client: '127.0.0.1',
      userAgent: 'test/1',
      fixes: [{ id: 'some-fix', mode: 'on', note: 'did it' }],
    });
    expect(JSON.stringify(request)).not.toContain('secret');
    expect(edge.finished.all).toHaveLength(1);
  });

  it.each(['&_state=secret&digest=x', '%3F_state=secret', '%26_state=secret', ';_state=secret', '%3B_state=secret'])(
    'holds no upload state that got into the path: %s',
    async (mangled) => {
      await using edge = await startEdge();
      await exchange(edge.url, { method: 'PUT', target: `/v2/team/app/blobs/uploads/b0a2${mangled}` });
      expect(edge.finished.all).toMatchObject([{ kind: 'upload', path: '/v2/team/app/blobs/uploads/b0a2' }]);
    },
  );

  it('has an id of its own for each', async () => {
    await using edge = await startEdge();
    for (const _ of [1, 2, 3]) await exchange(edge.url, { target: '/v2/' });
    expect(new Set(edge.finished.all.map(({ id }) => id)).size).toBe(3);
  });

  it('says 499 when the client leaves before the answer, and tells the use case', async () => {
    const asked = barrier();
    await using edge = await startEdge(({ signal }) => {
      asked.release();
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    const socket = connect({ port: edge.port, host: '127.0.0.1' });
    socket.write(get('/v2/', 'Host: x'));
    await within('the use case is asked', asked.passed);
    socket.destroy();
    expect(await edge.finished.first('the record', () => true)).toMatchObject({ status: 499, bytesSent: 0 });
  });
});

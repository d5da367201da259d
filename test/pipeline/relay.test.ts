import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { headerValue } from '../../src/domain/headers.ts';
import { readRefusal, relay } from '../../src/pipeline/relay.ts';
import { within } from '../support/deadline.ts';
import { fakeUpstream } from '../support/fake-upstream.ts';
import { fakeServices } from '../support/fakes.ts';
import { bytesOf, fakeEndpoint, fakeExchange } from '../support/scene.ts';

const plain: HeaderList = [['Docker-Distribution-Api-Version', 'registry/2.0']];
const json: HeaderList = [...plain, ['Content-Type', 'application/json']];

interface Received {
  readonly status: number;
  readonly headers?: HeaderList;
  readonly body?: string | Uint8Array | Readable;
}

/** Relays one answer of a registry to a client's request. */
async function relayed(method: string, target: string, { status, headers = plain, body = '' }: Received) {
  const exchange = fakeExchange(fakeEndpoint(fakeUpstream()), method, target);
  const stream = body instanceof Readable ? body : Readable.from([Buffer.from(body)], { objectMode: false });
  const answer = await relay(fakeServices(), exchange, exchange.request, { status, headers, body: stream });
  return { ...answer, bytes: await bytesOf(answer.body), fixes: exchange.applied.map(({ id }) => id) };
}

const errorOf = (bytes: Buffer) => JSON.parse(bytes.toString()).errors[0];

describe('an answer that the registry gives with content', () => {
  it('keeps status, header fields and bytes', async () => {
    const headers: HeaderList = [
      ...json,
      ['Content-Length', '13'],
      ['X-Odd', '1'],
      ['Set-Cookie', 'a'],
      ['Set-Cookie', 'b'],
    ];
    const answer = await relayed('GET', '/v2/team/app/tags/list', { status: 200, headers, body: '{"tags":null}' });
    expect(answer).toMatchObject({ status: 200, headers, cache: 'bypass', fixes: [] });
    expect(answer.bytes.toString()).toBe('{"tags":null}');
  });

  it('loses the fields of one connection', async () => {
    const headers: HeaderList = [
      ['Connection', 'close, X-Hop'],
      ['X-Hop', '1'],
      ['Transfer-Encoding', 'chunked'],
      ...json,
    ];
    expect((await relayed('GET', '/v2/_catalog', { status: 200, headers })).headers).toEqual(json);
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('has no body for %s with status %s', async (method, status) => {
    const headers: HeaderList = [...plain, ['Content-Length', '7']];
    const answer = await relayed(method, '/v2/', { status, headers });
    expect(answer).toMatchObject({ status, headers, body: { kind: 'none' } });
  });

  it('breaks off when the registry does', async () => {
    const body = new PassThrough();
    const reading = relayed('GET', '/v2/_catalog', { status: 200, body });
    body.write('{"repositories":');
    body.destroy(new Error('cut'));
    await expect(within('the end', reading)).rejects.toThrow('cut');
  });

  it('is destroyed when a fix refuses it', async () => {
    const body = new PassThrough();
    const refused = relayed('POST', '/v2/team/app/blobs/uploads/', { status: 202, body });
    await expect(refused).rejects.toMatchObject({ status: 502, fix: 'location-origin' });
    expect(body.destroyed).toBe(true);
  });
});

describe('an error of the registry', () => {
  const refusal = '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}\n';

  it('that needs no explanation keeps every byte', async () => {
    const headers: HeaderList = [
      ...json,
      ['WWW-Authenticate', 'Basic realm="x"'],
      ['Content-Length', String(refusal.length)],
    ];
    const answer = await relayed('GET', '/v2/_catalog', { status: 401, headers, body: refusal });
    expect(answer).toMatchObject({ status: 401, headers, fixes: [] });
    expect(answer.bytes.toString()).toBe(refusal);
  });

  it('gains an explanation and keeps its code, message and detail', async () => {
    const body = '{"errors":[{"code":"DENIED","message":"no","detail":[{"Type":"repository"}]}]}';
    const answer = await relayed('GET', '/v2/team/app/tags/list', { status: 403, headers: json, body });
    expect(errorOf(answer.bytes)).toMatchObject({
      code: 'DENIED',
      message: 'no',
      detail: { registry: [{ Type: 'repository' }], manifix: expect.stringContaining('docs/fixes/opaque-errors.md') },
    });
    expect(headerValue(answer.headers, 'Content-Length')).toBe(String(answer.bytes.length));
  });

  it('that is a page becomes JSON of the same status, without what described the page', async () => {
    const headers: HeaderList = [
      ['Content-Type', 'text/html'],
      ['Content-Length', '22'],
      ['ETag', '"x"'],
      ['X-Odd', '1'],
    ];
    const answer = await relayed('GET', '/v2/team/app/tags/list', { status: 404, headers, body: '<h1>Not here</h1>' });
    expect(answer.status).toBe(404);
    expect(errorOf(answer.bytes)).toMatchObject({ code: 'NAME_UNKNOWN', message: 'Not here' });
    expect(headerValue(answer.headers, 'Content-Type')).toBe('application/json; charset=utf-8');
    expect(headerValue(answer.headers, 'ETag')).toBeUndefined();
    expect(headerValue(answer.headers, 'X-Odd')).toBe('1');
  });

  it.each([
    ['empty', ''],
    ['too long to read', Buffer.alloc(65_537, 'x')],
    ['cut off', cutOff()],
  ])('with a body that is %s still says what its status means', async (_, body) => {
    const answer = await relayed('GET', '/v2/team/app/tags/list', { status: 503, body });
    expect(answer.status).toBe(503);
    expect(errorOf(answer.bytes)).toMatchObject({ code: 'UNKNOWN', detail: { upstreamStatus: 503 } });
  });

  it('has for HEAD the fields of the registry and no body', async () => {
    const headers: HeaderList = [...json, ['Content-Length', '99'], ['WWW-Authenticate', 'Basic realm="x"']];
    const answer = await relayed('HEAD', '/v2/', { status: 401, headers });
    expect(answer).toMatchObject({ status: 401, headers, body: { kind: 'none' } });
  });
});

describe('reading a refusal', () => {
  it('does not wait for the end of a body that nobody will read', async () => {
    const body = new PassThrough().on('error', () => {});
    const closed = new Promise((resolve) => body.once('close', resolve));
    body.write(Buffer.alloc(65_537));
    expect(await within('the refusal', readRefusal({ status: 500, headers: [], body }))).toMatchObject({ text: '' });
    await within('the body is closed', closed);
    expect(body.destroyed).toBe(true);
  });
});

function cutOff(): Readable {
  const body = new PassThrough();
  body.write('<html>');
  body.destroy(new Error('cut'));
  return body.on('error', () => {});
}

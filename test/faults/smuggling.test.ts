import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rawExchange } from '../e2e/raw-socket.ts';
import { firstError } from '../e2e/registry-errors.ts';
import { exchange } from '../support/http.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';

const CRLF = '\r\n';
const smuggled = `GET /v2/smuggled/manifests/1 HTTP/1.1${CRLF}Host: a${CRLF}${CRLF}`;
/** A chunked body that ends at once, and what a server that believes a longer length takes for its rest. */
const chunks = `0${CRLF}${CRLF}${smuggled}`;

function put(fields: readonly string[], body: string, target = '/v2/a/blobs/uploads/1?_state=1'): string {
  return [`PUT ${target} HTTP/1.1`, 'Host: a', ...fields, '', body].join(CRLF);
}

/** Names and values by which some server sees a transfer coding that another does not see (RFC 9112, section 6.1). */
const codings = [
  'Transfer-Encoding: chunked',
  'transfer-encoding: chunked',
  'Transfer-Encoding: CHUNKED',
  'Transfer-Encoding:chunked',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding: chunked ',
  'Transfer-Encoding: chunked\t',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding\t: chunked',
  ' Transfer-Encoding: chunked',
  'Transfer-Encoding: \x0bchunked',
  'Transfer-Encoding: chunked\x0b',
  'Transfer-Encoding: \x00chunked',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding: chunked;q=1',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunkedx',
  'Transfer-Encoding: x, chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: ,chunked',
  'Transfer-Encoding: chunked,',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding:',
  `Transfer-Encoding: identity${CRLF}Transfer-Encoding: chunked`,
  `Transfer-Encoding: chunked${CRLF}Transfer-Encoding: identity`,
  `Transfer-Encoding:${CRLF} chunked`,
  `Transfer-Encoding: chunked${CRLF} x`,
  `X: x\nTransfer-Encoding: chunked`,
  `X: x\rTransfer-Encoding: chunked`,
  'Transfer_Encoding: chunked',
  'Transfer-Encoding\x00: chunked',
  'X-Transfer-Encoding: chunked',
];
/** Lengths that servers read in different ways (RFC 9112, section 6.3). */
const lengths = [
  ['Content-Length: 5', 'Content-Length: 6'],
  ['Content-Length: 5', 'Content-Length: 5'],
  ['Content-Length: 5, 6'],
  ['Content-Length: 5, 5'],
  ['Content-Length: +5'],
  ['Content-Length: -5'],
  ['Content-Length: 0x5'],
  ['Content-Length: 5 0'],
  ['Content-Length: 5.0'],
  ['Content-Length: 5e0'],
  ['Content-Length: "5"'],
  ['Content-Length:'],
  ['Content-Length: five'],
  ['Content-Length : 5'],
  [' Content-Length: 5'],
  ['Content-Length: 99999999999999999999'],
  ['Content-Length: 18446744073709551621'],
  ['Content-Length:\x0b5'],
  ['Content-Length: 5\x00'],
  [`Content-Length:${CRLF} 5`],
  ['Content-Length: 5', 'content-length: 0'],
];
/** Chunked bodies that servers end in different places (RFC 9112, section 7.1). */
const bodies = [
  'zz\r\n\r\n',
  '-1\r\n\r\n',
  '+1\r\nx\r\n0\r\n\r\n',
  '0x1\r\nx\r\n0\r\n\r\n',
  ' 1\r\nx\r\n0\r\n\r\n',
  '1 \r\nx\r\n0\r\n\r\n',
  '1\nx\n0\n\n',
  '1\r\nxy\r\n0\r\n\r\n',
  '1\r\nx0\r\n\r\n',
  '2\r\nx\r\n0\r\n\r\n',
  '1;\x00\r\nx\r\n0\r\n\r\n',
  '1;a=\n\r\nx\r\n0\r\n\r\n',
  `fffffffffffffffff\r\n${smuggled}`,
  `10000000000000005\r\nhello\r\n0\r\n\r\n`,
  `1;${'x'.repeat(100_000)}\r\nx\r\n0\r\n\r\n`,
  '0\r\nHost: b\n\r\n\r\n',
  '0\r\nX : 1\r\n\r\n',
  `0\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
];
const lines = [
  'GET  /v2/a/tags/list HTTP/1.1',
  'GET /v2/a/tags/list  HTTP/1.1',
  'GET\t/v2/a/tags/list\tHTTP/1.1',
  'GET /v2/a/tags/list HTTP/1.1 x',
  'GET /v2/a/tags/list HTTP/1.1\r',
  'GET /v2/a/tags/list http/1.1',
  'GET /v2/a/tags/list HTTP/1.2',
  'GET /v2/a/tags/list HTTP/2.0',
  'GET /v2/a/tags/list HTTP/0.9',
  'GET /v2/a/tags/list HTTP/11',
  'GET /v2/a/tags/list HTTP/1.1\nX: y',
  'GET /v2/a/tags/list',
  ' GET /v2/a/tags/list HTTP/1.1',
  'GE T /v2/a/tags/list HTTP/1.1',
  'get /v2/a/tags/list HTTP/1.1',
  'GET /v2/a/tags/list\x00 HTTP/1.1',
  'GET /v2/a/tags/list#x HTTP/1.1',
  'GET \\v2\\a\\tags\\list HTTP/1.1',
  'GET v2/a/tags/list HTTP/1.1',
  'GET http://[::1/v2/a/tags/list HTTP/1.1',
  'GET http:///v2/a/tags/list HTTP/1.1',
  'GET * HTTP/1.1',
  'PRI * HTTP/2.0',
];

describe('F68: requests that servers delimit in different ways', () => {
  let upstream: ScriptedUpstream;
  let manifix: Manifix;

  beforeAll(async () => {
    upstream = await startScriptedUpstream();
    manifix = await startManifix({ upstream: upstream.url });
  });
  afterAll(() => Promise.all([manifix.stop(), upstream.stop()]));

  let sent = 0;
  /** Sends it, and gives what came back when the registry saw one request at most, and nothing of what was hidden in it. */
  async function send(payload: string) {
    sent += 1;
    const own = `/uploads/${sent}?`;
    const answer = await rawExchange(manifix.host, payload.replace('/uploads/1?', own));
    const seen = upstream.requests.filter(({ target }) => target.includes(own));
    expect(seen.length, payload).toBeLessThanOrEqual(1);
    for (const { headers } of seen) {
      const framing = headers.filter(([name]) => /^(?:content-length|transfer-encoding)$/i.test(name));
      expect(framing.length, payload).toBeLessThanOrEqual(1);
    }
    return { ...answer, seen };
  }
  /** Of those that `send` sent some arrive when it was already refused for its body. */
  const listsAskedSince = (before: number) =>
    upstream.requests
      .slice(before)
      .map(({ target }) => target)
      .filter((target) => !target.includes('/uploads/'));
  async function refused(payload: string) {
    const { status, body, seen } = await send(payload);
    expect([400, 405, 413, 431, 501], `${status} ${JSON.stringify(payload.slice(0, 200))}`).toContain(status);
    expect(firstError(body).code).toBe('UNSUPPORTED');
    return seen;
  }

  const close = 'Connection: close';
  const ambiguous = codings.map((coding) => put([coding, `Content-Length: ${chunks.length}`, close], chunks));
  const shorter = codings.map((coding) => put(['Content-Length: 4', coding, close], `5c${CRLF}${smuggled}`));
  // A name that no server takes for Transfer-Encoding leaves the length alone.
  const harmless = /^(?:Transfer_Encoding|X-Transfer-Encoding)/;

  it.each(codings.map((coding, at) => [coding, at] as const))('a length and %j are refused', async (coding, at) => {
    for (const payload of [ambiguous[at] ?? '', shorter[at] ?? '']) {
      if (!harmless.test(coding)) expect(await refused(payload)).toEqual([]);
      else expect((await send(payload)).status).toBe(404);
    }
  });

  it.each(lengths)('%j is refused or means one thing', async (...fields) => {
    expect(await refused(put([...fields, close], `hello${smuggled}`))).toEqual([]);
  });

  it.each(bodies)('the chunks %j are refused', async (body) => {
    await refused(put(['Transfer-Encoding: chunked', close], `${body}`));
  });

  it.each(lines)('the line %j is refused, or means what it says', async (line) => {
    const before = upstream.requests.length;
    const { status } = await send(`${line}${CRLF}Host: a${CRLF}${close}${CRLF}${CRLF}`);
    const seen = listsAskedSince(before);
    if (seen.length > 0) expect([status, seen]).toEqual([404, ['/v2/a/tags/list']]);
    else expect([400, 404, 405, 505], line).toContain(status);
  });

  it('what follows a request that is to be the last is not answered', async () => {
    const first = `GET /v2/a/tags/list HTTP/1.1${CRLF}Host: a${CRLF}${close}${CRLF}${CRLF}`;
    const { status, body } = await send(`${first}${smuggled}`);
    expect([status, body.match(/HTTP\/1/g)]).toEqual([404, null]);
  });

  it('an upgrade to HTTP/2 or to a socket is not taken up', async () => {
    for (const upgrade of ['h2c', 'websocket']) {
      const fields = ['Connection: Upgrade, HTTP2-Settings, close', `Upgrade: ${upgrade}`, 'HTTP2-Settings: AAMAAABk'];
      const { status } = await send(['GET /v2/a/tags/list HTTP/1.1', 'Host: a', ...fields, '', ''].join(CRLF));
      expect(status).toBe(404);
      const names = upstream.requests.at(-1)?.headers.map(([name]) => name.toLowerCase()) ?? [];
      expect(names.filter((name) => name === 'upgrade' || name === 'http2-settings')).toEqual([]);
    }
  });

  it('the next clients are served, each with an answer of its own', async () => {
    const before = upstream.requests.length;
    for (const name of ['one', 'two']) {
      const answer = await exchange(manifix.url, { target: `/v2/${name}/tags/list` });
      expect(answer.status).toBe(404);
    }
    expect(listsAskedSince(before)).toEqual(['/v2/one/tags/list', '/v2/two/tags/list']);
  });

  it('have hidden nothing, and are more than a hundred', () => {
    const targets = upstream.requests.map(({ target }) => target);
    expect(targets.filter((target) => target.includes('smuggled'))).toEqual([]);
    const uploads = targets.filter((target) => target.includes('/uploads/'));
    expect(new Set(uploads).size).toBe(uploads.length);
    expect(ambiguous.length + shorter.length + lengths.length + bodies.length + lines.length).toBeGreaterThan(100);
  });
});

describe('F69: methods and forms of targets that registries do not have', () => {
  let upstream: ScriptedUpstream;
  let manifix: Manifix;

  beforeAll(async () => {
    upstream = await startScriptedUpstream();
    manifix = await startManifix({ upstream: upstream.url });
  });
  afterAll(() => Promise.all([manifix.stop(), upstream.stop()]));

  it.each([
    ['CONNECT registry:443 HTTP/1.1', 405],
    ['CONNECT / HTTP/1.1', 405],
    ['TRACE /v2/a/tags/list HTTP/1.1', 405],
    ['OPTIONS * HTTP/1.1', 400],
    ['GET http://a/v2/a/tags/list HTTP/1.1', 404],
    ['GET https://elsewhere.test/v2/a/tags/list HTTP/1.1', 404],
  ])('%s is answered %i', async (line, status) => {
    const before = upstream.requests.length;
    const answer = await rawExchange(manifix.host, `${line}${CRLF}Host: a${CRLF}Connection: close${CRLF}${CRLF}`);
    expect([answer.status, firstError(answer.body).code]).toEqual([status, expect.stringMatching(/^[A-Z_]+$/)]);
    const seen = upstream.requests.slice(before).map(({ target }) => target);
    expect(seen).toEqual(status === 404 ? ['/v2/a/tags/list'] : []);
  });

  it('a body of GET and HEAD is not sent on, and not taken for a request', async () => {
    const before = upstream.requests.length;
    for (const method of ['GET', 'HEAD']) {
      for (const target of ['/v2/a/manifests/1', '/v2/a/tags/list']) {
        const head = [
          `${method} ${target} HTTP/1.1`,
          'Host: a',
          `Content-Length: ${smuggled.length}`,
          'Connection: close',
        ];
        await rawExchange(manifix.host, [...head, '', smuggled].join(CRLF));
      }
    }
    for (const { target, headers } of upstream.requests.slice(before)) {
      expect(target).not.toContain('smuggled');
      expect(headers.some(([name]) => /^content-length$/i.test(name))).toBe(false);
    }
  });

  it('an expectation that nobody knows is answered 417', async () => {
    const before = upstream.requests.length;
    const head = ['PUT /v2/a/manifests/1 HTTP/1.1', 'Host: a', 'Expect: 200-maybe', 'Content-Length: 2', '', '{}'];
    const answer = await rawExchange(manifix.host, head.join(CRLF));
    expect([answer.status, firstError(answer.body).code]).toEqual([417, 'UNSUPPORTED']);
    expect(upstream.requests.length).toBe(before);
  });
});

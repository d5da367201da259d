import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { discard, respond } from '../../src/http/respond.ts';
import type { AnswerBody } from '../../src/pipeline/exchange.ts';
import type { BlobReader } from '../../src/pipeline/ports.ts';
import { barrier, within } from '../support/deadline.ts';
import { exchange } from '../support/http.ts';
import { listenOnLoopback } from '../support/ports.ts';

/** A server that answers every request by `respond`; `outcomes` are what it resolved or rejected with. */
async function startResponder(answer: (outgoing: ServerResponse) => { headers: HeaderList; body: AnswerBody }) {
  const outcomes: Promise<number | Error>[] = [];
  const server = createServer((_incoming, outgoing) => {
    const { headers, body } = answer(outgoing);
    outcomes.push(respond(outgoing, 200, headers, body).catch((error: Error) => error));
  });
  const port = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    outcomes,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** A reader of these chunks, all in one buffer as the store's are; an Error is thrown where it stands. */
function readerOf(...chunks: (string | Error | Promise<void>)[]): BlobReader & { readonly closed: boolean } {
  const shared = Buffer.alloc(1024);
  let closed = false;
  return {
    async next() {
      const chunk = chunks.shift();
      if (chunk instanceof Promise) await chunk;
      if (chunk instanceof Error) throw chunk;
      return typeof chunk === 'string' ? shared.subarray(0, shared.write(chunk)) : undefined;
    },
    close() {
      closed = true;
    },
    get closed() {
      return closed;
    },
  };
}

const none: AnswerBody = { kind: 'none' };
const length = (size: number): HeaderList => [['Content-Length', String(size)]];

describe('the body of an answer', () => {
  it('is sent whole, and its bytes are counted', async () => {
    const reader = readerOf('one ', 'two ', 'three');
    const bodies: [AnswerBody, string][] = [
      [none, ''],
      [{ kind: 'bytes', bytes: Buffer.from('bytes') }, 'bytes'],
      [{ kind: 'blob', reader }, 'one two three'],
      [{ kind: 'stream', stream: Readable.from(['a', 'b'], { objectMode: false }) }, 'ab'],
    ];
    for (const [body, text] of bodies) {
      await using server = await startResponder(() => ({
        headers: [['x-Odd-CAPS', '1'], ...length(text.length)],
        body,
      }));
      const answer = await exchange(server.url, { target: '/' });
      expect(answer.body.toString()).toBe(text);
      expect(answer.headers[0]).toEqual(['x-Odd-CAPS', '1']);
      expect(await server.outcomes[0]).toBe(text.length);
    }
    expect(reader.closed).toBe(true);
  });

  it.each([
    ['with', length(100)],
    ['without', []],
  ])('that fails cuts the connection instead of ending, %s a length', async (_, headers: HeaderList) => {
    const failure = new Error('wrong digest');
    const reader = readerOf('half', failure);
    const stream = new PassThrough();
    stream.write('half');
    const bodies: AnswerBody[] = [
      { kind: 'blob', reader },
      { kind: 'stream', stream },
    ];
    for (const body of bodies) {
      await using server = await startResponder(() => {
        if (body.kind === 'stream') setImmediate(() => stream.destroy(failure));
        return { headers, body };
      });
      const answer = within('the cut', exchange(server.url, { target: '/' }));
      await expect(answer).rejects.toThrow(/aborted|socket hang up/);
      expect(await server.outcomes[0]).toBe(failure);
    }
    expect(reader.closed).toBe(true);
    expect(stream.destroyed).toBe(true);
  });

  it('is freed, and the connection cut, when its header fields cannot be sent', async () => {
    const reader = readerOf('bytes');
    const stream = new PassThrough();
    for (const body of [
      { kind: 'blob', reader },
      { kind: 'stream', stream },
    ] satisfies AnswerBody[]) {
      await using server = await startResponder(() => ({ headers: [['Location', 'a\nb']], body }));
      await expect(within('the cut', exchange(server.url, { target: '/' }))).rejects.toThrow('socket hang up');
      expect(await server.outcomes[0]).toMatchObject({ code: 'ERR_INVALID_CHAR' });
    }
    expect([reader.closed, stream.destroyed]).toEqual([true, true]);
  });

  it('is freed when the client leaves in the middle', async () => {
    const gate = barrier();
    const reader = readerOf('half', gate.passed, 'rest');
    await using server = await startResponder((outgoing) => {
      outgoing.once('close', gate.release);
      return { headers: length(8), body: { kind: 'blob', reader } };
    });
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await within('the first half', new Promise((resolve) => socket.once('data', resolve)));
    socket.destroy();
    await within('the client is gone', gate.passed);
    await within('the end', server.outcomes[0] ?? Promise.reject(new Error('nothing was answered')));
    expect(reader.closed).toBe(true);
  });

  it('waits for a client that reads slowly, and is freed when that one leaves', async () => {
    let handedOut = 0;
    let closed = false;
    const chunk = Buffer.alloc(1024 * 1024);
    const blocked = barrier();
    const reader: BlobReader = {
      next: async () => {
        handedOut += 1;
        if (handedOut === 2) blocked.release();
        return handedOut < 1000 ? chunk : undefined;
      },
      close: () => {
        closed = true;
      },
    };
    await using server = await startResponder(() => ({ headers: [], body: { kind: 'blob', reader } }));
    const socket = connect({ port: server.port, host: '127.0.0.1' }).pause();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await within('the second chunk', blocked.passed);
    socket.destroy();
    expect(await within('the end', server.outcomes[0] ?? Promise.resolve(0))).toBeInstanceOf(Error);
    expect(handedOut).toBeLessThan(100);
    expect(closed).toBe(true);
  });

  it('that waits for its turn on a pipelined connection is freed when the client leaves', async () => {
    const gate = barrier();
    const readers = [readerOf(gate.passed, 'first'), readerOf('second')];
    let answered = 0;
    const both = barrier();
    await using server = await startResponder(() => {
      const reader = readers[answered] ?? readerOf();
      answered += 1;
      if (answered === 2) both.release();
      return { headers: [], body: { kind: 'blob', reader } };
    });
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2));
    await within('both requests', both.passed);
    socket.destroy();
    gate.release();
    await within('the end of both', Promise.all(server.outcomes));
    expect(readers.map(({ closed }) => closed)).toEqual([true, true]);
  });

  it('that is not sent is freed', () => {
    const reader = readerOf();
    const stream = new PassThrough();
    for (const body of [none, { kind: 'blob', reader }, { kind: 'stream', stream }] satisfies AnswerBody[])
      discard(body);
    expect([reader.closed, stream.destroyed]).toEqual([true, true]);
  });
});

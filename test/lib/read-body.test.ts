import { createServer } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBody, readUpTo } from '../../src/lib/read-body.ts';
import { within } from '../support/deadline.ts';
import { exchange } from '../support/http.ts';
import { listenOnLoopback } from '../support/ports.ts';

const bytes = (...sizes: number[]) => Readable.from(sizes.map((size) => Buffer.alloc(size, 7)));

describe('reading a body', () => {
  it('gives all of it up to the limit', async () => {
    expect(await readBody(bytes(3, 4, 3), 10)).toEqual(Buffer.alloc(10, 7));
    expect(await readBody(Readable.from([]), 10)).toEqual(Buffer.alloc(0));
  });

  it('stops one byte over the limit and destroys the rest', async () => {
    const body = bytes(3, 4, 4, 100);
    expect(await readBody(body, 10)).toBe('too-large');
    expect(body.destroyed).toBe(true);
  });

  it('can let the rest flow away, so that the sender still gets an answer', async () => {
    const server = createServer(async (incoming, outgoing) => {
      outgoing.end(String(await readBody(incoming, 10, 'discard')));
    });
    const origin = `http://127.0.0.1:${await listenOnLoopback(server)}`;
    const answer = await exchange(origin, { method: 'PUT', target: '/', body: Buffer.alloc(20_000_000) });
    expect(answer.body.toString()).toBe('too-large');
    server.closeAllConnections();
    server.close();
  });

  it('survives a discarded body that breaks off', async () => {
    const body = new PassThrough();
    body.write(Buffer.alloc(11));
    expect(await readBody(body, 10, 'discard')).toBe('too-large');
    const closed = new Promise<void>((resolve) => body.once('close', resolve));
    body.destroy(new Error('cut'));
    await expect(closed).resolves.toBeUndefined();
  });

  it('rejects with the error of a body that breaks off, also when that happened before', async () => {
    const error = new Error('cut');
    const body = new PassThrough();
    body.write('start');
    const reading = readBody(body, 10);
    body.destroy(error);
    await expect(reading).rejects.toBe(error);
    await expect(readBody(body, 10)).rejects.toBe(error);
  });
});

describe('reading a body that may be too long to hold', () => {
  const limit = 10;

  it('gives the whole of a body up to the limit', async () => {
    expect(await readUpTo(bytes(3, 7), limit)).toEqual(Buffer.alloc(10, 7));
    expect(await readUpTo(Readable.from([]), limit)).toEqual(Buffer.alloc(0));
  });

  it('gives a longer one as a stream of the same bytes, however it is cut into chunks', async () => {
    const chunked = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40_000, size: 'max' }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(chunked, async (chunks) => {
        const read = await readUpTo(Readable.from(chunks, { objectMode: false }), limit);
        const all = Buffer.concat(chunks);
        expect(read instanceof Uint8Array).toBe(all.length <= limit);
        const seen = read instanceof Uint8Array ? read : await within('the end of the stream', buffer(read));
        expect(all.equals(seen)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  async function streamOf(body: PassThrough): Promise<Readable> {
    body.write(Buffer.alloc(11));
    const read = await readUpTo(body, limit);
    if (read instanceof Uint8Array) throw new Error('the body was not longer than the limit');
    return read;
  }

  it('lets that stream fail with the error of a body that breaks off later', async () => {
    const body = new PassThrough();
    const reading = expect(buffer(await streamOf(body))).rejects.toThrow('cut');
    body.destroy(new Error('cut'));
    await reading;
  });

  it('destroys a body that is stuck when its stream is destroyed', async () => {
    const body = new PassThrough();
    const closed = new Promise((resolve) => body.once('close', resolve));
    (await streamOf(body)).destroy();
    await within('the body is closed', closed);
    expect(body.destroyed).toBe(true);
  });

  it('does not read ahead of a slow reader', async () => {
    const body = new PassThrough();
    const read = await streamOf(body);
    let accepted = 0;
    while (accepted < 1000 && body.write(Buffer.alloc(65_536))) {
      accepted += 1;
      await new Promise((turn) => setImmediate(turn));
    }
    expect(accepted).toBeLessThan(10);
    read.destroy();
  });

  it('rejects with the error of a body that breaks off before the limit', async () => {
    const body = new PassThrough();
    body.write('start');
    const reading = readUpTo(body, limit);
    body.destroy(new Error('cut'));
    await expect(reading).rejects.toThrow('cut');
  });
});

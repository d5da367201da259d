import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import { withFirstBytes } from '../../src/http/first-bytes.ts';
import type { Answer } from '../../src/pipeline/exchange.ts';
import type { BlobReader } from '../../src/pipeline/ports.ts';
import { barrier, within } from '../support/deadline.ts';
import { exchange } from '../support/http.ts';
import { bytesOf } from '../support/scene.ts';
import { startEdge } from './edge.ts';

const wrong = new RegistryError('UNAVAILABLE', { status: 502, message: 'the registry sent wrong content' });

/** A reader of these chunks; an Error is thrown where it stands, a promise waited for. */
function readerOf(...chunks: (string | Error | Promise<void>)[]): BlobReader & { readonly closed: boolean } {
  let closed = false;
  return {
    async next() {
      const chunk = chunks.shift();
      if (chunk instanceof Promise) return chunk.then(() => this.next());
      if (chunk instanceof Error) throw chunk;
      return typeof chunk === 'string' ? Buffer.from(chunk) : undefined;
    },
    close() {
      closed = true;
    },
    get closed() {
      return closed;
    },
  };
}

function download(reader: BlobReader, cache: 'hit' | 'miss' = 'miss'): Answer {
  return { status: 200, headers: [['Content-Length', '8']], body: { kind: 'blob', reader }, cache };
}

describe('a download', () => {
  it('that is wrong before its first byte left is answered with the reason', async () => {
    const reader = readerOf(wrong);
    await using edge = await startEdge(async () => download(reader));
    const answer = await exchange(edge.url, { target: '/v2/' });
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.body.toString()).errors[0].message).toBe('the registry sent wrong content');
    expect(reader.closed).toBe(true);
    expect(edge.finished.all).toMatchObject([{ status: 502, error: wrong }]);
  });

  it('that goes wrong later is cut', async () => {
    await using edge = await startEdge(async () => download(readerOf('half', wrong)));
    await expect(within('the cut', exchange(edge.url, { target: '/v2/' }))).rejects.toThrow(/aborted|socket hang up/);
  });

  it('is passed on whole', async () => {
    for (const chunks of [['one ', 'two ', 'three'], ['one'], []]) {
      const { body } = await withFirstBytes(download(readerOf(...chunks)));
      expect((await bytesOf(body)).toString()).toBe(chunks.join(''));
    }
  });

  it('that does not begin goes on without its first bytes, and its failure is then that of its body', async () => {
    const gate = barrier();
    const begun = await within('the answer', withFirstBytes(download(readerOf(gate.passed, wrong)), 0));
    gate.release();
    await expect(bytesOf(begun.body)).rejects.toBe(wrong);
  });
});

describe('a stored blob', () => {
  it('is not waited for', async () => {
    const answer = download(readerOf('bytes'), 'hit');
    expect(await withFirstBytes(answer)).toBe(answer);
  });
});

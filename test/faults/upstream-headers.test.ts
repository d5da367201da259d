import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MIB } from '../store/support/bytes.ts';
import { withRig } from '../support/faults/rig.ts';
import { scale } from '../support/faults/scale.ts';
import { headerValue } from '../support/headers.ts';
import { chunk, head, respond, send } from '../support/script-steps.ts';

const SIZE = 100_000;

describe('F24: compressed answers', () => {
  it('are not asked for', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      rig.serve(blob);
      await rig.pull({ ...blob, headers: { 'Accept-Encoding': 'gzip, br, zstd' } });
      const asked = await rig.upstream.requestArrived(({ target }) => target === blob.target);
      expect(headerValue(asked.headers, 'Accept-Encoding')).toBe('identity');
    });
  });

  it('that come all the same are undone when that gives the blob', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      rig.upstream.on('GET', blob.pattern, [respond(200, [['Content-Encoding', 'gzip']], gzipSync(blob.bytes))]);
      const { status, end, header } = await rig.pull(blob);
      expect([status, end, header('Content-Encoding')]).toEqual([200, 'whole', undefined]);
    });
  });

  const MAX_GROWTH_KIB = 160 * 1024;

  it.each([
    ['once', 'gzip', (bomb: Buffer) => gzipSync(bomb)],
    ['twice', 'gzip, gzip', (bomb: Buffer) => gzipSync(gzipSync(bomb))],
  ])('that are a bomb, packed %s, are refused and cost little memory', async (_times, coding, pack) => {
    const packed = pack(Buffer.alloc(scale(64, 1024) * MIB));
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      rig.upstream.on('GET', blob.pattern, [respond(200, [['Content-Encoding', coding]], packed)]);
      const before = process.resourceUsage().maxRSS;
      for (let time = 0; time < 3; time += 1) {
        expect((await rig.pull(blob)).status).toBe(502);
        rig.clock.advance(60_001);
      }
      expect(process.resourceUsage().maxRSS - before).toBeLessThan(MAX_GROWTH_KIB);
    });
  });

  it.each([
    ['a thousand codings', Array.from({ length: 1000 }, () => 'gzip').join(', ')],
    ['a coding that nobody knows', 'rot13'],
  ])('with %s are refused', async (_what, coding) => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      rig.upstream.on('GET', blob.pattern, [respond(200, [['Content-Encoding', coding]], gzipSync(blob.bytes))]);
      expect((await rig.pull(blob)).status).toBe(502);
    });
  });
});

const fields = (count: number, size: number) =>
  Array.from({ length: count }, (_, index) => `X-Flood-${index}: ${'v'.repeat(size)}`);

describe('F25: header fields that are an attack', () => {
  it.each([
    ['128 KiB of them', fields(128, 1024)],
    ['one of 128 KiB', fields(1, 128 * 1024)],
    ['NUL in one', ['X-Flood: a\0b']],
    ['a bare CR in one', ['X-Flood: a\rX-Other: b']],
    ['one over two lines', ['X-Flood: a', ' b']],
  ])('(%s) are a 502', async (_what, lines) => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE, 'flood', 'flood');
      const body = [head(200, [...lines, `Content-Length: ${SIZE}`]), send(blob.bytes)];
      rig.upstream.on('GET', /\/flood\//, body);
      for (const target of [blob.target, '/v2/flood/manifests/latest', '/v2/flood/tags/list']) {
        const { status, header } = await rig.pull({ target });
        expect([target, status, header('X-Flood')]).toEqual([target, 502, undefined]);
      }
    });
  });

  it('(a thousand small ones) are not passed on with a blob', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      const lines = [...fields(1000, 8), `Content-Length: ${SIZE}`];
      rig.upstream.on('GET', blob.pattern, [head(200, lines), send(blob.bytes)]);
      const { header } = await rig.pull(blob);
      expect(header('X-Flood-0')).toBeUndefined();
    });
  });
});

describe('F26: a flood around the answer', () => {
  it('of 10,000 interim answers is a 502', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      const flood = Array.from({ length: 10_000 }, () => head(103, ['Link: </x>; rel=preload']));
      rig.upstream.on('GET', blob.pattern, [...flood, respond(200, [], blob.bytes)]);
      expect((await rig.pull(blob)).status).toBe(502);
      expect(rig.gets(blob)).toBeLessThanOrEqual(2);
    });
  });

  it('of a few interim answers is no flood', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      const few = Array.from({ length: 5 }, () => head(103, ['Link: </x>; rel=preload']));
      rig.upstream.on('GET', blob.pattern, [...few, respond(200, [], blob.bytes)]);
      expect((await rig.pull(blob)).end).toBe('whole');
    });
  });

  it('of 1 MiB of trailer fields is not passed on, and never completes a blob wrongly', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      const trailers = [send('0\r\n'), send(`${fields(1024, 1024).join('\r\n')}\r\n\r\n`)];
      const steps = [head(200, ['Transfer-Encoding: chunked']), chunk(blob.bytes), ...trailers];
      rig.upstream.on('GET', blob.pattern, steps);
      const { status, header } = await rig.pull(blob);
      expect([status, header('X-Flood-0')]).toEqual([200, undefined]);
    });
  });
});

describe('F27: bytes behind an answer', () => {
  const lengthy = (body: Buffer | string) =>
    Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  const chunked = (body: string) =>
    Buffer.from(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    );

  it.each([
    ['with a length', lengthy],
    ['in chunks', chunked],
  ])('%s that look like the next one are the answer to nothing', async (_what, answer) => {
    await withRig({}, async (rig) => {
      // More at once than there are connections, so that requests wait for those that are about to be poisoned.
      const targets = Array.from({ length: scale(80, 400) }, (_, index) => `/v2/app${index}/tags/list`);
      rig.upstream.on('GET', /tags/, [send(Buffer.concat([answer('{"tags":[]}'), lengthy('{"tags":["forged"]}')]))]);
      const pulled = await Promise.all(targets.map((target) => rig.pull({ target })));
      expect(pulled.map(({ body }) => body().toString()).filter((text) => text.includes('forged'))).toEqual([]);
      expect(pulled.filter(({ status }) => status === 200).length).toBeGreaterThan(60);
    });
  });
});

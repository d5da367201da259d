import { describe, expect, it } from 'vitest';
import { MIB } from '../store/support/bytes.ts';
import { barrier } from '../support/deadline.ts';
import { serveBlob } from '../support/faults/blob-steps.ts';
import { type FaultRig, type RigBlob, withRig } from '../support/faults/rig.ts';
import { headerValue } from '../support/headers.ts';
import { head, respond, type Step, send, waitFor } from '../support/script-steps.ts';

const SIZE = 2 * MIB;

/** A registry that answers several ranges as Go's file server does, with a body that is no part of the blob. */
const withMultipart =
  (bytes: Buffer): Step =>
  async (context) => {
    const isMulti = headerValue(context.headers, 'Range')?.includes(',') ?? false;
    const type = [['Content-Type', 'multipart/byteranges; boundary=x']] as const;
    await (isMulti ? respond(206, type, '--x\r\n\r\nparts\r\n--x--\r\n') : serveBlob(bytes))(context);
  };

const ranges: readonly (readonly [string, string, Readonly<Record<string, string>>, number, number, number])[] = [
  ['the first byte', 'bytes=0-0', {}, 206, 0, 1],
  ['the last byte', `bytes=${SIZE - 1}-${SIZE - 1}`, {}, 206, SIZE - 1, SIZE],
  ['the last bytes', 'bytes=-500', {}, 206, SIZE - 500, SIZE],
  ['all from a byte far ahead', `bytes=${SIZE - 1000}-`, {}, 206, SIZE - 1000, SIZE],
  ['more than there is', `bytes=${SIZE - 10}-${SIZE + 500 * MIB}`, {}, 206, SIZE - 10, SIZE],
  ['all', 'bytes=0-', {}, 206, 0, SIZE],
  ['several parts', 'bytes=0-1,5-6', {}, 200, 0, SIZE],
  ['another unit', 'chunks=0-1', {}, 200, 0, SIZE],
  ['a part of something else', 'bytes=5-9', { 'If-Range': '"sha256:other"' }, 200, 0, SIZE],
];
const unsatisfiable = [
  ['beyond the end', `bytes=${SIZE}-`],
  ['far beyond the end', `bytes=${SIZE + 500 * MIB}-${SIZE + 600 * MIB}`],
] as const;

async function expectRanges(rig: FaultRig, blob: RigBlob, release: () => void): Promise<void> {
  const asked = ranges.map(([what, Range, others]) => ({
    what,
    download: rig.pull({ ...blob, headers: { Range, ...others } }),
  }));
  const refused = unsatisfiable.map(([, Range]) => rig.pull({ ...blob, headers: { Range } }));
  for (const answer of await Promise.all(refused)) {
    expect([answer.status, answer.header('Content-Range')]).toEqual([416, `bytes */${SIZE}`]);
  }
  release();
  for (const [index, { what, download }] of asked.entries()) {
    const { status, end, body, header } = await download;
    const [, , , expected = 0, from = 0, to = 0] = ranges[index] ?? [];
    expect([what, status, end, body().equals(blob.bytes.subarray(from, to))]).toEqual([what, expected, 'whole', true]);
    const contentRange = expected === 206 ? `bytes ${from}-${to - 1}/${SIZE}` : undefined;
    expect([what, header('Content-Range')]).toEqual([what, contentRange]);
  }
}

describe('F38: ranges', () => {
  it('of a blob that is being filled are right, and nothing partial is stored', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      const gate = barrier();
      const start = [head(200, [`Content-Length: ${SIZE}`]), send(blob.bytes.subarray(0, MIB))];
      rig.upstream.once('GET', blob.pattern, [...start, waitFor(gate), send(blob.bytes.subarray(MIB))]);
      rig.upstream.on('HEAD', blob.pattern, [respond(200, [], blob.bytes)]);
      rig.upstream.on('GET', blob.pattern, [withMultipart(blob.bytes)]);
      const whole = await rig.open(blob);
      await whole.received(MIB / 2);
      await expectRanges(rig, blob, gate.release);
      expect([await whole.ended, whole.digest()]).toEqual(['whole', blob.digest]);
      await rig.stored(blob);
      const fetchedWhole = rig.upstream.requests.filter(
        ({ method, target, headers }) =>
          method === 'GET' && target === blob.target && headerValue(headers, 'Range') === undefined,
      );
      expect(fetchedWhole).toHaveLength(1);
    });
  });

  it.each(ranges)('of a cold blob are right: %s', async (_what, Range, others, expected, from, to) => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      rig.upstream.on('HEAD', blob.pattern, [respond(200, [], blob.bytes)]);
      rig.upstream.on('GET', blob.pattern, [withMultipart(blob.bytes)]);
      const { status, end, body } = await rig.pull({ ...blob, headers: { Range, ...others } });
      expect([status, end, body().equals(blob.bytes.subarray(from, to))]).toEqual([expected, 'whole', true]);
    });
  });

  it('of a stored blob are right, without asking the registry', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      rig.serve(blob);
      await rig.pull(blob);
      await rig.stored(blob);
      await expectRanges(rig, blob, () => undefined);
      const backwards = await rig.pull({ ...blob, headers: { Range: 'bytes=500-0' } });
      expect(backwards.status).toBe(416);
      expect(rig.gets(blob)).toBe(1);
    });
  });
});

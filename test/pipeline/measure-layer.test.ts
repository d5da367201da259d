import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { measureLayer } from '../../src/pipeline/measure-layer.ts';
import { sha256 } from '../support/images.ts';

const archive = Buffer.alloc(300_000, 'layer');
const packed = gzipSync(archive);
const streamOf = (...chunks: Buffer[]) => ({ kind: 'stream', stream: Readable.from(chunks) }) as const;

describe('the content of a layer', () => {
  it('is measured packed and hashed unpacked, however it is cut', async () => {
    const expected = { size: packed.length, gzip: true, diffId: sha256(archive) };
    expect(await measureLayer({ kind: 'bytes', bytes: packed })).toEqual(expected);
    const cuts = [packed.subarray(0, 1), packed.subarray(1, 100), packed.subarray(100)];
    expect(await measureLayer(streamOf(...cuts))).toEqual(expected);
  });

  it('may be several members of gzip, or not packed at all', async () => {
    const members = Buffer.concat([gzipSync(archive.subarray(0, 10)), gzipSync(archive.subarray(10))]);
    expect((await measureLayer(streamOf(members))).diffId).toBe(sha256(archive));
    expect(await measureLayer(streamOf(archive))).toEqual({
      size: archive.length,
      gzip: false,
      diffId: sha256(archive),
    });
    expect((await measureLayer({ kind: 'none' })).size).toBe(0);
  });

  it('closes the reader of a blob, at the end and when the layer is damaged', async () => {
    let closed = 0;
    const blob = (bytes: Buffer) => {
      const chunks = [bytes.subarray(0, 50), bytes.subarray(50)];
      return {
        kind: 'blob',
        reader: {
          next: async () => chunks.shift(),
          close: () => {
            closed += 1;
          },
        },
      } as const;
    };
    expect((await measureLayer(blob(packed))).diffId).toBe(sha256(archive));
    await expect(measureLayer(blob(Buffer.concat([packed.subarray(0, 60), archive])))).rejects.toThrow();
    expect(closed).toBe(2);
  });

  it('is refused when it breaks off or grows beyond the limit', async () => {
    await expect(measureLayer(streamOf(packed.subarray(0, 200)))).rejects.toThrow('unexpected end of file');
    await expect(measureLayer(streamOf(packed), 1000)).rejects.toThrow('larger than 1000 bytes');
    await expect(measureLayer(streamOf(archive), 1000)).rejects.toThrow('larger than 1000 bytes');
  });
});

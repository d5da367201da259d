import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeBody } from '../../src/lib/content-encoding.ts';

const plain = Buffer.from('{"schemaVersion":2}'.repeat(1000));

const coded: [string, Buffer][] = [
  ['gzip', gzipSync(plain)],
  ['x-gzip', gzipSync(plain)],
  ['GZip', gzipSync(plain)],
  ['deflate', deflateSync(plain)],
  ['br', brotliCompressSync(plain)],
  ['zstd', zstdCompressSync(plain)],
  ['deflate, gzip', gzipSync(deflateSync(plain))],
  ['identity, br', brotliCompressSync(plain)],
  ['identity', plain],
  ['', plain],
];

const unsupported = [
  'compress',
  'aws-chunked',
  'gzip, unknown',
  'gzip, gzip, gzip',
  Array(100).fill('gzip').join(),
  'gzip,identity,identity,identity,compress',
];

describe('a coded body', () => {
  it.each(coded)('of %s is decoded', (coding, bytes) => {
    expect(Buffer.compare(decodeBody(bytes, coding, plain.length) as Uint8Array, plain)).toBe(0);
  });

  it.each(unsupported)('of %s is not touched', (coding) => {
    expect(decodeBody(plain, coding, 1e6)).toBe('unsupported');
  });

  it.each(['gzip', 'deflate', 'br', 'zstd'])('that is not %s, or only a part of it, is malformed', (coding) => {
    const [, whole = Buffer.alloc(0)] = coded.find(([name]) => name === coding) ?? [];
    for (const bytes of [plain, whole.subarray(0, whole.length - 4)]) {
      expect(decodeBody(bytes, coding, 1e6)).toBe('malformed');
    }
  });

  it.each(['gzip', 'deflate', 'br', 'zstd'])('of %s is not decoded beyond the limit', (coding) => {
    const [, bytes = Buffer.alloc(0)] = coded.find(([name]) => name === coding) ?? [];
    expect(decodeBody(bytes, coding, plain.length - 1)).toBe('too-large');
  });

  it('is limited in each step, not only in the last', () => {
    const inner = gzipSync(Buffer.alloc(100));
    const bomb = gzipSync(Buffer.concat([inner, Buffer.alloc(50_000_000)]));
    expect(decodeBody(bomb, 'gzip, gzip', 1000)).toBe('too-large');
  });
});

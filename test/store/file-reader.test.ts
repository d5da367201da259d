import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type BufferPool, createBufferPool } from '../../src/lib/buffer-pool.ts';
import { createFileReader } from '../../src/store/file-reader.ts';
import { nodeFiles } from '../../src/store/files.ts';
import { createPace } from '../../src/store/pace.ts';
import { eventually } from '../support/deadline.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { drain, KIB, MIB, sample } from './support/bytes.ts';
import { createManualClock } from './support/manual-clock.ts';

const { bytes } = sample(12 * MIB);

/** A pool that knows how many of its buffers are out. */
function countedPool(): BufferPool & { out: number; peak: number } {
  const inner = createBufferPool(64 * MIB);
  const pool = {
    out: 0,
    peak: 0,
    get lent() {
      return inner.lent;
    },
    take(size: number) {
      pool.out += 1;
      pool.peak = Math.max(pool.peak, pool.out);
      return inner.take(size);
    },
    give(buffer: Buffer) {
      pool.out -= 1;
      inner.give(buffer);
    },
    giveUp(buffer: Buffer) {
      pool.out -= 1;
      inner.giveUp(buffer);
    },
  };
  return pool;
}

async function openReader(start = 0, end = bytes.length) {
  const home = await temporaryDirectory();
  const path = join(home.path, 'file');
  await writeFile(path, bytes);
  const fd = await nodeFiles.openForReading(path);
  const clock = createManualClock();
  const pool = countedPool();
  const events: string[] = [];
  const reader = createFileReader(
    { files: nodeFiles, pool, clock },
    {
      fd,
      start,
      end,
      onReleased: () => void events.push('released'),
      onReadError: (error) => void events.push(error.message),
    },
  );
  const dispose = async () => {
    reader.close();
    await nodeFiles.close(fd);
    await home.remove();
  };
  return { reader, clock, pool, events, [Symbol.asyncDispose]: dispose };
}

describe('a file reader', () => {
  it.each([
    ['all', 0, bytes.length],
    ['one byte', 77, 78],
    ['nothing', 5, 5],
    ['the end', bytes.length - 100_001, bytes.length],
  ])('gives %s of a stretch and every buffer back', async (_what, start, end) => {
    await using open = await openReader(start, end);
    expect((await drain(open.reader)).equals(bytes.subarray(start, end))).toBe(true);
    expect(open.pool.out).toBe(0);
    expect(open.events).toEqual(['released']);
  });

  it('reads 512 KiB at a time and ahead once a client has proved quick', async () => {
    await using open = await openReader();
    const sizes: number[] = [];
    for (let chunk = await open.reader.next(); chunk !== undefined; chunk = await open.reader.next()) {
      sizes.push(chunk.length / KIB);
    }
    expect(sizes[0]).toBe(64);
    expect(Math.max(...sizes)).toBe(512);
    expect(open.pool.peak).toBe(2);
  });

  it('reads 64 KiB at a time, not ahead, while others hold much memory', async () => {
    await using open = await openReader();
    const others = open.pool.take(64 * MIB);
    open.pool.peak = 0;
    for (let chunk = await open.reader.next(); chunk !== undefined; chunk = await open.reader.next()) {
      expect(chunk.length).toBe(64 * KIB);
    }
    expect(open.pool.peak).toBe(2);
    open.pool.give(others);
  });

  it('has no buffer out when a quick client leaves', async () => {
    await using open = await openReader();
    for (let read = 0; read < 8 * MIB; ) read += (await open.reader.next())?.length ?? 0;
    open.reader.close();
    await eventually('every buffer is back', async () => open.pool.out === 0 || undefined);
    expect(open.pool.lent).toBe(0);
  });

  it('pins one small buffer for a slow client', async () => {
    await using open = await openReader();
    for (let count = 0; count < 100; count += 1) {
      const chunk = await open.reader.next();
      expect(chunk?.length).toBe(64 * KIB);
      open.clock.advance(60);
    }
    expect(open.pool.peak).toBe(1);
  });

  it('lets go of the file only when nothing is being read any more', async () => {
    await using open = await openReader();
    const reading = open.reader.next();
    open.reader.close();
    expect(open.events).toEqual([]);
    await expect(reading).rejects.toThrow('closed');
    expect(open.events).toEqual(['released']);
    expect(open.pool.out).toBe(0);
  });

  it('reports a file that ends too early', async () => {
    await using open = await openReader(bytes.length - 10, bytes.length + 10);
    await expect(drain(open.reader)).rejects.toThrow('the file ends at byte');
    expect(open.events).toEqual([expect.stringContaining('the file ends at byte'), 'released']);
    expect(open.pool.out).toBe(0);
  });
});

describe('the pace of a client', () => {
  it('does not count what socket buffers swallow as speed', () => {
    const pace = createPace(() => 0);
    for (let sent = 0; sent < 3.9 * MIB; sent += 64 * KIB) {
      pace.wanted();
      pace.delivered(64 * KIB);
    }
    expect(pace.chunkSize).toBe(64 * KIB);
  });

  it('falls back to small chunks after a stall', () => {
    let now = 0;
    const pace = createPace(() => now);
    for (let count = 0; count < 100; count += 1) {
      pace.wanted();
      pace.delivered(64 * KIB);
    }
    expect(pace).toMatchObject({ chunkSize: 512 * KIB, isQuick: true });
    now += 1_001;
    pace.wanted();
    expect(pace).toMatchObject({ chunkSize: 64 * KIB, isQuick: false });
  });
});

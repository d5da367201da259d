import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, open, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/store/files.ts';
import type { Store } from '../../src/store/open-store.ts';
import { within } from '../support/deadline.ts';
import { drain, MIB, type Sample, sample } from './support/bytes.ts';
import { createFaultyFiles } from './support/faulty-files.ts';
import { createReadySource } from './support/manual-source.ts';
import { blobPath, openTestStore, type TestStore } from './support/test-store.ts';

const SIZE = 200_000;

async function storeSample(store: Store, { bytes, digest }: Sample): Promise<void> {
  expect(await store.blobs.startFill(digest, createReadySource(bytes)).finished).toBe(true);
}

async function read(store: Store, { digest }: Sample): Promise<Buffer | undefined> {
  const blob = await within('opening', store.blobs.open(digest));
  try {
    return blob && (await drain(blob.reader()));
  } finally {
    blob?.close();
  }
}

/** Changes a byte in place and keeps size and modification time. */
async function flipByte(path: string, at: number): Promise<void> {
  const { atime, mtime } = await stat(path);
  const file = await open(path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
  await file.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, at);
  await file.close();
  await utimes(path, atime, mtime);
}

const REPLACEMENTS: readonly [string, (path: string) => Promise<unknown>][] = [
  ['one byte shorter', (path) => truncate(path, SIZE - 1)],
  ['one byte longer', (path) => truncate(path, SIZE + 1)],
  ['empty', (path) => truncate(path, 0)],
  [
    'overwritten with other bytes of the same length',
    async (path) => {
      await writeFile(path, Buffer.alloc(SIZE, 1));
      // A moment later, as it would be: on many systems the times of files are coarse.
      await utimes(path, 1, 1);
    },
  ],
  [
    'replaced by a directory',
    async (path) => {
      await rm(path);
      await mkdir(`${path}/inside`, { recursive: true });
    },
  ],
  [
    'replaced by a symbolic link to a right copy',
    async (path) => {
      await copyFile(path, `${path}.copy`);
      await rm(path);
      await symlink(`${path}.copy`, path);
    },
  ],
  [
    'replaced by a FIFO',
    async (path) => {
      await rm(path);
      execFileSync('mkfifo', [path]);
    },
  ],
  [
    'replaced by a shorter file',
    async (path) => {
      await rm(path);
      await writeFile(path, 'short');
    },
  ],
];

async function isRefetched({ store }: TestStore, content: Sample): Promise<void> {
  expect(await read(store, content)).toBeUndefined();
  expect(store.counters()).toMatchObject({ damaged: 1 });
  expect(store.usage()).toEqual({ bytes: 0, blobs: 0 });
  await storeSample(store, content);
  expect((await read(store, content))?.equals(content.bytes)).toBe(true);
}

describe('a cached file', () => {
  it.each(REPLACEMENTS)(
    'that was %s while manifix was down is removed, counted and fetched again',
    async (_, damage) => {
      await using opened = await openTestStore();
      const content = sample(SIZE);
      await storeSample(opened.store, content);
      await opened.store.close();
      await damage(blobPath(opened.directory, content.digest));
      await opened.reopen();
      await isRefetched(opened, content);
    },
  );

  it.each(REPLACEMENTS.slice(0, 4))(
    'that was %s while it was open is removed, counted and fetched again',
    async (_, damage) => {
      await using opened = await openTestStore();
      const content = sample(SIZE);
      await storeSample(opened.store, content);
      await read(opened.store, content);
      await damage(blobPath(opened.directory, content.digest));
      await isRefetched(opened, content);
    },
  );

  it('that vanished is a miss', async () => {
    await using opened = await openTestStore();
    const content = sample(SIZE);
    await storeSample(opened.store, content);
    await opened.store.close();
    await rm(blobPath(opened.directory, content.digest));
    const store = await opened.reopen();
    expect(await read(store, content)).toBeUndefined();
    expect(store.usage()).toEqual({ bytes: 0, blobs: 0 });
    expect(store.counters()).toMatchObject({ damaged: 0 });
  });

  it('that was only touched is hashed once more and kept', async () => {
    await using opened = await openTestStore();
    const content = sample(SIZE);
    await storeSample(opened.store, content);
    await utimes(blobPath(opened.directory, content.digest), 1, 1);
    expect((await read(opened.store, content))?.equals(content.bytes)).toBe(true);
    expect(opened.store.counters()).toMatchObject({ damaged: 0 });
    await flipByte(blobPath(opened.directory, content.digest), 0);
    expect(await opened.store.blobs.open(content.digest)).toBeDefined();
  });

  it.each([SIZE - 1, SIZE + 1, 0])(
    'that has %i bytes of 200000 but its old time is removed, counted and fetched again',
    async (size) => {
      await using opened = await openTestStore();
      const content = sample(SIZE);
      await storeSample(opened.store, content);
      const path = blobPath(opened.directory, content.digest);
      await utimes(path, 1, 1);
      expect((await read(opened.store, content))?.equals(content.bytes)).toBe(true);
      await opened.store.close();
      await truncate(path, size);
      await utimes(path, 1, 1);
      await opened.reopen();
      await isRefetched(opened, content);
    },
  );

  it('that nobody listed is hashed before it is served, and refused when a bit differs', async () => {
    await using opened = await openTestStore();
    const [right, wrong] = [sample(SIZE, 'right'), sample(SIZE, 'wrong')];
    for (const content of [right, wrong]) await storeSample(opened.store, content);
    await opened.store.close();
    await flipByte(blobPath(opened.directory, wrong.digest), 100_000);
    for (const suffix of ['', '-wal', '-shm']) await rm(`${opened.directory}/v1/facts.db${suffix}`, { force: true });
    const store = await opened.reopen();
    expect((await read(store, right))?.equals(right.bytes)).toBe(true);
    expect(await read(store, wrong)).toBeUndefined();
    expect(store.counters()).toMatchObject({ damaged: 1 });
  });

  it('whose place and listing were both lost to a directory is fetched again', async () => {
    await using opened = await openTestStore();
    const content = sample(SIZE);
    await storeSample(opened.store, content);
    await opened.store.close();
    await rm(blobPath(opened.directory, content.digest));
    await mkdir(blobPath(opened.directory, content.digest));
    for (const suffix of ['', '-wal', '-shm']) await rm(`${opened.directory}/v1/facts.db${suffix}`, { force: true });
    await opened.reopen();
    await isRefetched(opened, content);
    expect(opened.store.health()).toBe('ok');
  });

  it('that cannot be read to its end breaks off the reader, and is fetched again', async () => {
    let isBroken = false;
    const files = createFaultyFiles(nodeFiles, (call) => (isBroken && call === 'read' ? 'EIO' : undefined));
    await using opened = await openTestStore({ files });
    const content = sample(9 * MIB);
    await storeSample(opened.store, content);
    const blob = await opened.store.blobs.open(content.digest);
    const reader = blob?.reader();
    await reader?.next();
    isBroken = true;
    await expect(reader && drain(reader)).rejects.toThrow('EIO');
    blob?.close();
    isBroken = false;
    expect(await read(opened.store, content)).toBeUndefined();
    await storeSample(opened.store, content);
    expect((await read(opened.store, content))?.equals(content.bytes)).toBe(true);
  });

  it('that is cut while it is read breaks off the reader instead of ending it', async () => {
    await using opened = await openTestStore();
    const content = sample(9 * MIB);
    await storeSample(opened.store, content);
    const blob = await opened.store.blobs.open(content.digest);
    const reader = blob?.reader();
    await reader?.next();
    await truncate(blobPath(opened.directory, content.digest), 1 * MIB);
    await expect(reader && drain(reader)).rejects.toThrow(`instead of ${9 * MIB}`);
    blob?.close();
  });
});

describe('running out of file descriptors', () => {
  it('frees those that are only kept, and then answers 503', async () => {
    let failures = 0;
    const files = createFaultyFiles(nodeFiles, (call) => {
      if (call !== 'openForReading' || failures === 0) return undefined;
      failures -= 1;
      return 'EMFILE';
    });
    await using opened = await openTestStore({ files });
    const content = sample(SIZE);
    await storeSample(opened.store, content);
    failures = 1;
    expect((await read(opened.store, content))?.equals(content.bytes)).toBe(true);
    const other = sample(SIZE, 'other');
    failures = 2;
    await expect(opened.store.blobs.open(other.digest)).rejects.toMatchObject({
      status: 503,
      headers: [['Retry-After', '1']],
    });
    expect(opened.store.health()).toBe('ok');
  });
});

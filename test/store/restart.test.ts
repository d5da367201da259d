import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/store/files.ts';
import { openStore } from '../../src/store/open-store.ts';
import { manifestOf } from '../contract/manifest-store.contract.ts';
import { eventually, within } from '../support/deadline.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { drain, MIB, sample } from './support/bytes.ts';
import { createFaultyFiles, type FileCall } from './support/faulty-files.ts';
import { createReadySource } from './support/manual-source.ts';
import { openTestStore, partNames, type TestStore } from './support/test-store.ts';

const content = sample(100_000);
const manifest = manifestOf('{"schemaVersion":2}');
// A name that a parser would have branded.
const repository = 'library/alpine' as Parameters<TestStore['store']['facts']['tag']>[1];

async function storeSamples({ store }: TestStore): Promise<void> {
  expect(await store.blobs.startFill(content.digest, createReadySource(content.bytes)).finished).toBe(true);
  expect(await store.manifests.put(manifest)).toBe(true);
  store.facts.putLink('hub', repository, 'blob', content.digest, 'open');
}

async function readBlob({ store }: TestStore): Promise<Buffer | undefined> {
  const blob = await store.blobs.open(content.digest);
  const bytes = blob && (await drain(blob.reader()));
  blob?.close();
  return bytes;
}

function open(directory: string, files = nodeFiles) {
  return openStore({ directory, files, maxSize: 1e9, warn: () => undefined });
}

describe('a restart', () => {
  it('keeps blobs, manifests with their header fields, facts and sizes', async () => {
    await using opened = await openTestStore();
    await storeSamples(opened);
    const before = opened.store.usage();
    await opened.reopen();
    expect((await readBlob(opened))?.equals(content.bytes)).toBe(true);
    expect(await opened.store.manifests.get(manifest.digest)).toEqual(manifest);
    expect(opened.store.facts.link('hub', repository, 'blob', content.digest)).toBe('open');
    expect(opened.store.usage()).toEqual(before);
    expect(before).toEqual({ bytes: content.bytes.length + manifest.bytes.length, blobs: 1 });
  });

  it('removes the part files of earlier processes, in the background', async () => {
    await using opened = await openTestStore();
    await opened.store.close();
    const parts = join(opened.directory, 'v1', 'parts');
    for (let index = 0; index < 50; index += 1) await writeFile(join(parts, `${index}.old.part`), '');
    await writeFile(join(parts, 'large.old.part'), '');
    await truncate(join(parts, 'large.old.part'), 18 * 1024 * MIB);
    await opened.reopen();
    await eventually('the clean directory', async () => (await partNames(opened.directory)).length === 0 || undefined);
  });
});

describe('F40: two processes on one directory', () => {
  it('are refused, and the one after a process that was killed in a fill finds the cache as it was before', async () => {
    await using home = await temporaryDirectory();
    const script = `
      import { PassThrough } from 'node:stream';
      import { openStore } from '${new URL('../../src/store/open-store.ts', import.meta.url)}';
      const directory = ${JSON.stringify(home.path)};
      const store = await openStore({ directory, maxSize: 1e9, warn: () => {} });
      const nothing = async () => ({ status: 200, headers: [], body: new PassThrough().end() });
      await store.blobs.startFill('${sample(0).digest}', nothing).finished;
      const half = new PassThrough();
      half.write(Buffer.alloc(3_000_000));
      const fill = store.blobs.startFill('${content.digest}', async () => ({ status: 200, headers: [], body: half }));
      const reader = fill.reader();
      for (let read = 0; read < 2_900_000; ) read += (await reader.next()).length;
      console.log('half');
      setInterval(() => {}, 1000);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await within('half a fill', once(child.stdout, 'data'), 60_000);
    await expect(open(home.path)).rejects.toThrow(
      `The cache directory ${home.path} is in use by another manifix (process ${child.pid}).`,
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    const store = await open(home.path);
    expect(await store.blobs.open(content.digest)).toBeUndefined();
    expect(store.usage()).toEqual({ bytes: 0, blobs: 1 });
    await eventually('the clean directory', async () => (await partNames(home.path)).length === 0 || undefined);
    await store.close();
  });
});

describe('a cache directory that is emptied while manifix runs', () => {
  it('is filled again', async () => {
    await using opened = await openTestStore();
    await storeSamples(opened);
    for (const name of ['blobs', 'manifests', 'parts'])
      await rm(join(opened.directory, 'v1', name), { recursive: true });
    const other = sample(1_000, 'other');
    expect(await opened.store.blobs.startFill(other.digest, createReadySource(other.bytes)).finished).toBe(true);
    expect(await opened.store.manifests.put(manifestOf('{"other":true}'))).toBe(true);
    expect(opened.store.health()).toBe('ok');
    await opened.reopen();
    expect(await readBlob(opened)).toBeUndefined();
    expect((await opened.store.blobs.open(other.digest))?.size).toBe(1_000);
  });
});

describe('opening a directory', () => {
  it('is refused while another has it, and possible as soon as that is closed', async () => {
    await using opened = await openTestStore();
    await expect(open(opened.directory)).rejects.toThrow(`(process ${process.pid})`);
    await opened.store.close();
    const store = await open(opened.directory);
    await store.close();
  });

  it('does not stumble over a lock file that is none', async () => {
    await using opened = await openTestStore();
    await opened.store.close();
    await writeFile(join(opened.directory, 'v1', 'lock'), '12345\n'.repeat(100));
    await opened.reopen();
    expect(opened.store.health()).toBe('ok');
  });

  it('that is a file fails with its path and the reason', async () => {
    await using home = await temporaryDirectory();
    const path = join(home.path, 'file');
    await writeFile(path, '');
    await expect(open(path)).rejects.toThrow(
      `The cache directory ${path} cannot be used: it, or what it lies in, is not a directory (ENOTDIR).`,
    );
  });

  it.each<[FileCall, string, string]>([
    ['create', 'EROFS', 'the file system is read-only (EROFS)'],
    ['makeDirectory', 'EACCES', 'permission denied (EACCES)'],
    ['create', 'ENOSPC', 'no space is left on the device (ENOSPC)'],
  ])('in which %s gives %s fails with the reason', async (call, code, reason) => {
    await using home = await temporaryDirectory();
    const files = createFaultyFiles(nodeFiles, (name) => (name === call ? code : undefined));
    await expect(open(home.path, files)).rejects.toThrow(`${home.path} cannot be used: ${reason}.`);
  });

  it('whose facts a newer manifix wrote is refused, and left as it is', async () => {
    await using opened = await openTestStore();
    await opened.store.close();
    const path = join(opened.directory, 'v1', 'facts.db');
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 99');
    database.close();
    await expect(open(opened.directory)).rejects.toThrow(`${path} has format 99 of a newer manifix`);
    await expect(open(opened.directory)).rejects.toThrow('format 99');
  });
});

describe('a facts database that is damaged', () => {
  const damages: readonly [string, (bytes: Buffer) => Buffer][] = [
    ['empty', () => Buffer.alloc(0)],
    ['garbage', (bytes) => Buffer.alloc(bytes.length, 'garbage ')],
    ['one byte', () => Buffer.from('x')],
    ['cut in its header', (bytes) => bytes.subarray(0, 63)],
    ['cut behind its first page', (bytes) => bytes.subarray(0, 4096)],
    ['cut in a page', (bytes) => bytes.subarray(0, 20_001)],
    [
      'garbage behind its header',
      (bytes) => Buffer.concat([bytes.subarray(0, 100), Buffer.alloc(bytes.length - 100, 7)]),
    ],
  ];

  it.each(damages)('(%s) is made anew, and blobs are kept and counted', async (_what, damage) => {
    await using opened = await openTestStore();
    await storeSamples(opened);
    await opened.store.close();
    const path = join(opened.directory, 'v1', 'facts.db');
    await writeFile(path, damage(await readFile(path)));
    await opened.reopen();
    expect((await readBlob(opened))?.equals(content.bytes)).toBe(true);
    expect(await opened.store.manifests.put(manifest)).toBe(true);
    expect(await opened.store.manifests.get(manifest.digest)).toEqual(manifest);
    expect(opened.store.usage()).toEqual({ bytes: content.bytes.length + manifest.bytes.length, blobs: 1 });
    opened.store.facts.putLink('hub', repository, 'blob', content.digest, 'private');
    expect(opened.store.facts.link('hub', repository, 'blob', content.digest)).toBe('private');
    expect(opened.store.health()).toBe('ok');
  });

  it('(any one page of it) neither keeps manifix from starting nor from working', async () => {
    await using opened = await openTestStore();
    await storeSamples(opened);
    await opened.store.close();
    const path = join(opened.directory, 'v1', 'facts.db');
    const bytes = await readFile(path);
    for (let start = 0; start < bytes.length; start += 4096) {
      await writeFile(path, Buffer.from(bytes).fill(0xa5, start, start + 4096));
      await opened.reopen();
      opened.store.facts.putLink('hub', repository, 'blob', content.digest, 'private');
      expect(opened.store.facts.link('hub', repository, 'blob', content.digest), `page at ${start}`).toBe('private');
      expect((await readBlob(opened))?.equals(content.bytes), `page at ${start}`).toBe(true);
      await opened.store.close();
    }
  });

  it('is moved aside with a warning', async () => {
    await using opened = await openTestStore();
    await opened.store.close();
    await writeFile(join(opened.directory, 'v1', 'facts.db'), 'garbage'.repeat(1000));
    await opened.reopen();
    expect(opened.warnings).toEqual([expect.stringContaining('damaged')]);
    const names = await readdir(join(opened.directory, 'v1'));
    expect(names.filter((name) => name.startsWith('facts.db.damaged-')).length).toBe(1);
  });

  it('counts the files that it does not list, so that the cache keeps its size', async () => {
    await using opened = await openTestStore();
    await storeSamples(opened);
    await opened.store.close();
    await writeFile(join(opened.directory, 'v1', 'facts.db'), 'garbage'.repeat(1000));
    await opened.reopen();
    const expected = content.bytes.length + manifest.bytes.length;
    await eventually('the count', async () => opened.store.usage().bytes === expected || undefined);
    opened.store.setMaxSize(0);
    await eventually('the empty cache', async () => opened.store.usage().bytes === 0 || undefined);
    expect(await opened.store.blobs.open(content.digest)).toBeUndefined();
  });
});

import { appendFile, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LineFile, openLineFile } from '../../src/lib/line-file.ts';
import { createManualClock, type ManualClock } from '../store/support/manual-clock.ts';
import { type Arrivals, arrivals } from '../support/arrivals.ts';
import { eventually, within } from '../support/deadline.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

let directory: TemporaryDirectory;
let path: string;
let clock: ManualClock;
let troubles: Arrivals<string>;

beforeEach(async () => {
  directory = await temporaryDirectory();
  path = join(directory.path, 'logs', 'lines');
  clock = createManualClock();
  troubles = arrivals();
});
afterEach(() => directory.remove());

function openIt(limits: { readonly maxSize?: number; readonly keep?: number } = {}): Promise<LineFile> {
  return openLineFile({
    path,
    maxSize: 1_000_000,
    keep: 2,
    ...limits,
    clock,
    onTrouble: (trouble) =>
      troubles.add(trouble === 'over' ? trouble : String((trouble.error as NodeJS.ErrnoException).code)),
    gap: (missing) => `${missing} missing`,
  });
}

const content = (name = path) => readFile(name, 'utf8');
/** Waits until the file ends with this text, because a write announces nothing. */
const ends = (text: string) =>
  eventually(`"${text}" in the file`, async () => (await content().catch(() => '')).endsWith(text) || undefined);

describe('a file of lines', () => {
  it('has every line that was appended before it is closed, in order, behind those of earlier processes', async () => {
    for (const run of ['a', 'b']) {
      const file = await openIt();
      for (let count = 0; count < 2_500; count += 1) file.append(`${run}${count}`);
      await file.close();
      expect(file.lost).toBe(0);
    }
    const expected = ['a', 'b'].flatMap((run) => Array.from({ length: 2_500 }, (_, count) => `${run}${count}\n`));
    expect(await content()).toBe(expected.join(''));
  });

  it('begins a new line behind one that an earlier process did not end', async () => {
    await (await openIt()).close();
    await writeFile(path, 'whole\nto');
    const file = await openIt();
    file.append('next');
    await file.close();
    expect(await content()).toBe('whole\nto\nnext\n');
  });

  it('gets a number when the next line would make it too large, and only so many numbers stay', async () => {
    const file = await openIt({ maxSize: 12, keep: 2 });
    await writeFile(`${path}.3`, 'of a time when more were kept');
    for (const line of ['11111', '22222', '33333', '44444', '55555', '66666', '77777']) {
      file.append(line);
      await ends(`${line}\n`);
    }
    await file.close();
    expect([await content(), await content(`${path}.1`), await content(`${path}.2`)]).toEqual([
      '77777\n',
      '55555\n66666\n',
      '33333\n44444\n',
    ]);
    await expect(content(`${path}.3`)).rejects.toThrow('ENOENT');
  });

  it('keeps its name when that is a link, however large it gets', async () => {
    await (await openIt()).close();
    const target = join(directory.path, 'elsewhere');
    await rename(path, target);
    await symlink(target, path);
    const file = await openIt({ maxSize: 6 });
    for (const line of ['11111', '22222', '33333']) {
      file.append(line);
      await ends(`${line}\n`);
    }
    await file.close();
    expect(await content(target)).toBe('11111\n22222\n33333\n');
    expect(await readlink(path)).toBe(target);
  });

  it('is made anew when somebody else renamed or removed it', async () => {
    const file = await openIt();
    file.append('one');
    await ends('one\n');
    await rename(path, `${path}.old`);
    file.append('two');
    await ends('two\n');
    await rm(path);
    file.append('three');
    await file.close();
    expect([await content(`${path}.old`), await content()]).toEqual(['one\n', 'three\n']);
  });

  it('goes on behind what others append', async () => {
    const file = await openIt();
    await appendFile(path, 'theirs\n');
    file.append('ours');
    await file.close();
    expect(await content()).toBe('theirs\nours\n');
  });

  it('cannot be opened where its directory cannot be made', async () => {
    await writeFile(join(directory.path, 'logs'), '');
    await expect(openIt()).rejects.toThrow(/ENOTDIR|EEXIST/);
  });
});

describe('a full disk', () => {
  /** Writing to /dev/full always fails with ENOSPC. */
  async function openOnFullDisk(): Promise<LineFile> {
    const file = await openIt({ maxSize: 100_000_000 });
    await rm(path);
    await symlink('/dev/full', path);
    return file;
  }

  async function makeRoom(): Promise<void> {
    await within('a pause', clock.waitedFor(1_000));
    await rm(path);
    clock.advance(1_000);
  }

  it('loses no line: they wait and are written when there is room, and it is told once', async () => {
    const file = await openOnFullDisk();
    file.append('one');
    await troubles.first('trouble', (text) => text === 'ENOSPC');
    await within('a pause', clock.waitedFor(1_000));
    clock.advance(1_000);
    await within('the next pause', clock.waitedFor(1_000));
    file.append('two');
    await makeRoom();
    await troubles.first('the end of it', (text) => text === 'over');
    await file.close();
    expect(await content()).toBe('one\ntwo\n');
    expect(troubles.all).toEqual(['ENOSPC', 'over']);
    expect(file.lost).toBe(0);
  });

  it('beyond what memory holds lines are lost, and the file says how many and where', async () => {
    const file = await openOnFullDisk();
    const large = 'x'.repeat(8 * 1024 * 1024);
    for (const line of [large, large, 'lost', 'lost too']) file.append(line);
    expect(file.lost).toBe(2);
    await makeRoom();
    await ends('2 missing\n');
    file.append('after');
    await file.close();
    expect((await content()).split('\n').map((line) => line.slice(0, 10))).toEqual([
      'xxxxxxxxxx',
      'xxxxxxxxxx',
      '2 missing',
      'after',
      '',
    ]);
  });

  it('does not hold up the end: what could not be written by then counts as lost', async () => {
    const file = await openOnFullDisk();
    file.append('one');
    file.append('two');
    await within('the end', file.close());
    expect(file.lost).toBe(2);
  });
});

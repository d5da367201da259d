import type { Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, delay } from './clock.ts';

export interface LineFileOptions {
  readonly path: string;
  /** In bytes: a file that would grow beyond is renamed to `<path>.1`, and a new one begun. Links and devices never are. */
  readonly maxSize: number;
  /** How many renamed files stay. */
  readonly keep: number;
  readonly clock: Clock;
  /** Told once when writing begins to fail, and once when it works again. */
  readonly onTrouble: (trouble: { readonly error: unknown } | 'over') => void;
  /** The line that tells readers of the file how many are missing in its place. */
  readonly gap: (missing: number) => string;
}

/**
 * A file to which whole lines are appended, in order. What cannot be written waits in memory and is tried again. Beyond a limit
 * lines are lost, and the file says how many as soon as it can be written.
 */
export interface LineFile {
  /** Takes a line without its end. Never throws, never waits. */
  append(line: string): void;
  /** How many lines were lost. */
  readonly lost: number;
  /** Writes what is left, with one attempt, and closes the file. */
  close(): Promise<void>;
}

/** In characters. */
const MAX_WAITING = 16 * 1024 * 1024;
const LINES_AT_ONCE = 1_000;
/** In milliseconds. */
const RETRY_AFTER = 1_000;

/** Opens the file, and makes it, with its directory, when it is missing. Rejects with the file system's error. */
export async function openLineFile(options: LineFileOptions): Promise<LineFile> {
  const { clock, onTrouble, gap } = options;
  const file = createRotatedFile(options);
  await file.open();
  const waiting: string[] = [];
  let waitingSize = 0;
  let lost = 0;
  let untold = 0;
  let isFailing = false;
  let working: Promise<void> | undefined;
  const closing = new AbortController();

  function wait(line: string): void {
    waiting.push(line);
    waitingSize += line.length;
  }

  async function writeSome(): Promise<void> {
    const lines = waiting.slice(0, LINES_AT_ONCE);
    await file.write(lines, (count) => {
      for (const line of waiting.splice(0, count)) waitingSize -= line.length;
    });
    if (untold > 0) wait(gap(untold));
    untold = 0;
  }

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      try {
        await writeSome();
        if (isFailing) onTrouble('over');
        isFailing = false;
      } catch (error) {
        if (!isFailing) onTrouble({ error });
        isFailing = true;
        if (closing.signal.aborted) break;
        await delay(clock, RETRY_AFTER, closing.signal).catch(() => undefined);
      }
    }
    working = undefined;
  }

  return {
    append(line) {
      // From the first lost line to the next written one, so that there is one gap and not many.
      if (untold > 0 || closing.signal.aborted || waitingSize + line.length > MAX_WAITING) {
        lost += 1;
        untold += 1;
        return;
      }
      wait(line);
      working ??= work();
    },
    get lost() {
      return lost;
    },
    async close() {
      closing.abort();
      await working;
      lost += waiting.length;
      waiting.length = 0;
      await file.close();
    },
  };
}

/** Only its owner reads who did what. */
const MODE = 0o600;
const NEWLINE = 0x0a;

function createRotatedFile({ path, maxSize, keep }: LineFileOptions) {
  let handle: FileHandle | undefined;
  /** A process or a disk ended in the middle of the last line. */
  let isTorn = false;

  async function openFile(): Promise<FileHandle> {
    await mkdir(dirname(path), { recursive: true });
    handle = await open(path, 'a', MODE);
    isTorn = await endsWithinLine(path, await handle.stat());
    return handle;
  }

  async function close(): Promise<void> {
    const open = handle;
    handle = undefined;
    await open?.close();
  }

  /** Others may rename or remove the file at any time, as logrotate does. */
  async function present(): Promise<FileHandle> {
    const [there, held] = await Promise.all([stat(path).catch(() => undefined), handle?.stat()]);
    if (handle !== undefined && there?.ino === held?.ino && there?.dev === held?.dev) return handle;
    await close();
    return openFile();
  }

  async function withRoom(length: number): Promise<FileHandle> {
    const current = await present();
    const { size } = await current.stat();
    if (size === 0 || size + length <= maxSize || !(await isPlainFile(path))) return current;
    await close();
    await shiftNames(path, keep);
    return openFile();
  }

  return {
    open: openFile,
    close,
    /** Appends lines and tells how many are in the file whole, also when it rejects. */
    async write(lines: readonly string[], onWritten: (count: number) => void): Promise<void> {
      const text = Buffer.from(`${lines.join('\n')}\n`);
      const file = await withRoom(text.length);
      const bytes = isTorn ? Buffer.concat([Buffer.of(NEWLINE), text]) : text;
      const before = bytes.length - text.length;
      let done = 0;
      try {
        while (done < bytes.length) done += (await file.write(bytes, done)).bytesWritten;
        isTorn = false;
        if ((await file.stat()).isFile()) await file.datasync();
      } catch (error) {
        await close();
        throw error;
      } finally {
        onWritten(bytes.subarray(before, Math.max(before, done)).filter((byte) => byte === NEWLINE).length);
      }
    },
  };
}

async function endsWithinLine(path: string, status: Stats): Promise<boolean> {
  if (!status.isFile() || status.size === 0) return false;
  const reader = await open(path, 'r');
  try {
    const { buffer } = await reader.read(Buffer.alloc(1), 0, 1, status.size - 1);
    return buffer[0] !== NEWLINE;
  } finally {
    await reader.close();
  }
}

/** `<path>` becomes `<path>.1`, that `<path>.2` and so on; what goes beyond `keep` is removed. */
async function shiftNames(path: string, keep: number): Promise<void> {
  for (let number = keep; number >= 1; number -= 1) {
    await rename(number === 1 ? path : `${path}.${number - 1}`, `${path}.${number}`).catch(unlessMissing);
  }
  for (let number = keep + 1; await isThere(`${path}.${number}`); number += 1) await rm(`${path}.${number}`);
}

/** Links and devices, such as /dev/stdout, are not ours to rename. */
async function isPlainFile(path: string): Promise<boolean> {
  return (await lstat(path).catch(unlessMissing))?.isFile() === true;
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(unlessMissing)) !== undefined;
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

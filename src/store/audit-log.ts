import type { AuditEvent } from '../domain/audit.ts';
import type { Clock } from '../lib/clock.ts';
import { type LineFile, openLineFile } from '../lib/line-file.ts';
import type { Warn } from './health.ts';
import { createRefusals } from './refusals.ts';

export interface AuditSettings {
  readonly file: string;
  /** In bytes. */
  readonly maxSize: number;
  readonly keep: number;
}

export interface AuditLogOptions {
  readonly clock: Clock;
  readonly warn: Warn;
}

/** Who did what, as JSON lines in a file of its own. Without settings nothing is recorded. */
export interface AuditLog {
  record(event: AuditEvent): void;
  /** Goes on with other settings. Rejects with the file system's error when the file cannot be opened; then nothing changes. */
  configure(settings: AuditSettings | undefined): Promise<void>;
  /** Since the start. */
  figures(): { readonly recorded: number; readonly lost: number };
  /** Writes all that was recorded. Safe to call twice. */
  close(): Promise<void>;
}

/** What nobody can make long by a request. */
const LONGEST_TEXT = 512;

export function createAuditLog({ clock, warn }: AuditLogOptions): AuditLog {
  const figures = { recorded: 0, lost: 0 };
  let settings: AuditSettings | undefined;
  let file: LineFile | undefined;

  function write(event: object): void {
    if (file === undefined) return;
    figures.recorded += 1;
    file.append(lineOf(clock, event));
  }
  const refusals = createRefusals(clock, write);

  async function openFile(wanted: AuditSettings): Promise<LineFile> {
    return openLineFile({
      path: wanted.file,
      ...wanted,
      clock,
      gap: (missing) => lineOf(clock, { event: 'lost', outcome: 'failed', count: missing }),
      onTrouble(trouble) {
        if (trouble === 'over') warn('the audit log is written again', { file: wanted.file });
        else warn('the audit log cannot be written: lines wait in memory', { file: wanted.file, err: trouble.error });
      },
    });
  }

  async function replaceFile(next: LineFile | undefined): Promise<void> {
    const previous = file;
    file = next;
    if (previous === undefined) return;
    await previous.close();
    figures.lost += previous.lost;
    if (previous.lost > 0) warn('lines of the audit log were lost', { lines: previous.lost });
  }

  return {
    record(event) {
      if (file === undefined) return;
      if (event.outcome === 'done') write(event);
      else refusals.add(event);
    },
    async configure(wanted) {
      if (JSON.stringify(wanted) === JSON.stringify(settings)) return;
      const next = wanted && (await openFile(wanted));
      settings = wanted;
      refusals.flush();
      await replaceFile(next);
    },
    figures: () => ({ ...figures, lost: figures.lost + (file?.lost ?? 0) }),
    async close() {
      settings = undefined;
      refusals.flush();
      await replaceFile(undefined);
    },
  };
}

/** The members of a line in the order in which people read them. */
const ORDER =
  'time event outcome user client endpoint upstream repository reference digest status count requestId detail'.split(
    ' ',
  );

function lineOf(clock: Clock, event: object): string {
  const line: Record<string, unknown> = { ...event, time: new Date(clock.now()).toISOString() };
  const shortened = (_: string, value: unknown) =>
    typeof value === 'string' && value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}...` : value;
  return JSON.stringify(Object.fromEntries(ORDER.map((key) => [key, line[key]])), shortened);
}

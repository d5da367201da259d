import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../src/domain/audit.ts';
import { type AuditLog, createAuditLog } from '../../src/store/audit-log.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';
import { createManualClock } from './support/manual-clock.ts';

const push: AuditEvent = {
  event: 'push',
  outcome: 'done',
  user: 'bob',
  client: '10.0.0.1',
  endpoint: 'team',
  upstream: 'hub',
  repository: 'app',
  reference: '1.2',
  digest: `sha256:${'0'.repeat(64)}`,
  status: 201,
  requestId: 'run-1',
};
const limits = { maxSize: 1_000_000, keep: 2 };

let directory: TemporaryDirectory;
let log: AuditLog;
const at = (name: string) => join(directory.path, name);

beforeEach(async () => {
  directory = await temporaryDirectory();
  log = createAuditLog({ clock: createManualClock(Date.UTC(2026, 10, 27, 14)), warn: () => undefined });
});
afterEach(async () => {
  await log.close();
  await directory.remove();
});

const linesOf = async (name: string) =>
  (await readFile(at(name), 'utf8'))
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

describe('the audit log', () => {
  it('has a line of JSON for each event, with the time in front', async () => {
    await log.configure({ file: at('audit.jsonl'), ...limits });
    log.record(push);
    log.record({ event: 'purge', outcome: 'done', client: 'local', detail: { by: 'all', bytes: 7 } });
    await log.close();
    expect(await readFile(at('audit.jsonl'), 'utf8')).toBe(
      `${JSON.stringify({ time: '2026-11-27T14:00:00.000Z', ...push })}\n` +
        '{"time":"2026-11-27T14:00:00.000Z","event":"purge","outcome":"done","client":"local","detail":{"by":"all","bytes":7}}\n',
    );
    expect(log.figures()).toEqual({ recorded: 2, lost: 0 });
  });

  it('is for the eyes of its owner', async () => {
    await log.configure({ file: at('audit.jsonl'), ...limits });
    expect((await stat(at('audit.jsonl'))).mode & 0o077).toBe(0);
  });

  it('keeps to one line whatever somebody calls himself, and cuts what is long', async () => {
    await log.configure({ file: at('audit.jsonl'), ...limits });
    log.record({ ...push, user: `eve\n{"event":"push"}${'x'.repeat(10_000)}` });
    await log.close();
    const [line, ...others] = await linesOf('audit.jsonl');
    expect(others).toEqual([]);
    expect(line.user).toMatch(/^eve\n\{"event":"push"\}x+\.\.\.$/);
    expect(line.user.length).toBeLessThan(600);
  });

  it('counts refusals that repeat, and has written all of them when it is closed', async () => {
    await log.configure({ file: at('audit.jsonl'), ...limits });
    const denied = { event: 'denied', outcome: 'refused', client: '10.0.0.1', detail: { action: 'pull' } } as const;
    for (let count = 0; count < 100; count += 1) log.record(denied);
    await log.close();
    expect((await linesOf('audit.jsonl')).map(({ count }) => count)).toEqual([undefined, 99]);
  });

  it('goes on in another file when it is told so, and in none', async () => {
    await log.configure({ file: at('one'), ...limits });
    log.record(push);
    await log.configure({ file: at('two'), ...limits });
    log.record(push);
    await log.configure(undefined);
    log.record(push);
    expect([await linesOf('one'), await linesOf('two')].map(({ length }) => length)).toEqual([1, 1]);
  });

  it('stays where it is when the other file cannot be opened', async () => {
    await log.configure({ file: at('one'), ...limits });
    log.record(push);
    await expect(log.configure({ file: at('one/below'), ...limits })).rejects.toThrow(/ENOTDIR|EEXIST/);
    log.record(push);
    await log.close();
    expect(await linesOf('one')).toHaveLength(2);
  });

  it('does nothing where none is configured', async () => {
    log.record(push);
    await log.close();
    expect(log.figures()).toEqual({ recorded: 0, lost: 0 });
  });
});

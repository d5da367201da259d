import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NO_USAGE, type UsageRow } from '../../src/domain/usage.ts';
import { createLayout } from '../../src/store/layout.ts';
import { openStore, type Store } from '../../src/store/open-store.ts';
import { readUsage } from '../../src/store/usage-records.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

let directory: TemporaryDirectory;
let store: Store;
let warnings: string[];

const open = () =>
  openStore({ directory: directory.path, maxSize: 1e9, warn: (message) => void warnings.push(message) });

beforeEach(async () => {
  directory = await temporaryDirectory();
  warnings = [];
  store = await open();
});
afterEach(async () => {
  await store.close();
  await directory.remove();
});

const row = (day: number, name: string, more: Partial<UsageRow> = {}): UsageRow => ({
  ...{ ...NO_USAGE, day, endpoint: 'team', subject: 'repository', name, requests: day },
  ...more,
});
const all = { since: 0, endpoint: undefined, by: 'repository' } as const;
const complete = row(7, 'app', {
  ...{ requests: 1, bytes: 2 ** 45, hits: 3, savedBytes: 4, upstreamRequests: 5, upstreamBytes: 6 },
});

describe('the records of usage', () => {
  it('are kept as they were written, also over a restart', async () => {
    store.usageRecords.write([complete], []);
    await store.close();
    store = await open();
    expect(store.usageRecords.ofDay(7)).toEqual([complete]);
    expect(store.usageRecords.ofDay(6)).toEqual([]);
  });

  it('have one row for each key, and those that are gone no more', () => {
    store.usageRecords.write([row(7, 'app'), row(7, 'web')], []);
    store.usageRecords.write([row(7, 'app', { requests: 99 })], [row(7, 'web')]);
    expect(store.usageRecords.ofDay(7)).toEqual([row(7, 'app', { requests: 99 })]);
  });

  it.each([
    [all, ['one', 'two', 'three']],
    [{ ...all, since: 2 }, ['two', 'three']],
    [{ ...all, endpoint: 'other' }, ['three']],
    [{ ...all, by: 'day' as const }, ['one', 'two', 'three']],
    [{ ...all, by: 'user' as const }, ['bob']],
  ])('answer %j, read by the running store and beside it', (question, names) => {
    store.usageRecords.write(
      [row(1, 'one'), row(2, 'two'), row(3, 'three', { endpoint: 'other' }), row(3, 'bob', { subject: 'user' })],
      [],
    );
    const namesOf = (rows: readonly UsageRow[]) => rows.toSorted((a, b) => a.day - b.day).map(({ name }) => name);
    expect(namesOf(store.usageRecords.answering(question))).toEqual(names);
    expect(namesOf(readUsage(directory.path, question))).toEqual(names);
  });

  it('forget the days before one', () => {
    store.usageRecords.write([row(1, 'app'), row(2, 'app'), row(3, 'app')], []);
    store.usageRecords.forgetBefore(2);
    expect(store.usageRecords.answering(all).map(({ day }) => day)).toEqual([2, 3]);
  });

  it('say so when they cannot be written', () => {
    const other = new DatabaseSync(createLayout(directory.path).facts);
    other.exec('BEGIN IMMEDIATE');
    expect(store.usageRecords.write([complete], [])).toBe(false);
    expect(warnings).toHaveLength(1);
    other.exec('ROLLBACK');
    other.close();
    expect(store.usageRecords.write([complete], [])).toBe(true);
  });

  it('of a directory without a cache are not made up', () => {
    expect(() => readUsage(`${directory.path}/none`, all)).toThrow(/There is no cache in .*none\./);
  });
});

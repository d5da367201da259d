import { describe, expect, it } from 'vitest';
import { viewOf } from '../../src/domain/accept.ts';
import { digestOf } from '../../src/domain/digest.ts';
import type { RepositoryName, Tag } from '../../src/domain/reference.ts';
import { openDatabase } from '../../src/store/database.ts';
import { createHealth } from '../../src/store/health.ts';
import { createTagHistory } from '../../src/store/tag-history.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { openTestStore } from './support/test-store.ts';

const alpine = 'library/alpine' as RepositoryName;
const busybox = 'library/busybox' as RepositoryName;
const latest = 'latest' as Tag;
const view = viewOf([]);
const digest = (text: string) => digestOf(Buffer.from(text));
const MINUTE = 60_000;

describe('the history of tags', () => {
  it('has what each tag meant and when, and survives a restart', async () => {
    await using opened = await openTestStore();
    const { tagHistory } = opened.store;
    tagHistory.note('hub', alpine, latest, { view, digest: digest('a'), at: 1, by: 'pull' });
    tagHistory.note('hub', alpine, latest, { view, digest: digest('b'), at: MINUTE, by: 'push', user: 'ann' });
    tagHistory.note('hub', busybox, latest, { view, digest: digest('c'), at: 2, by: 'pull' });
    const known = [
      { view, digest: digest('b'), turn: 2, firstSeen: MINUTE, confirmed: MINUTE, by: 'push', user: 'ann' },
      { view, digest: digest('a'), turn: 1, firstSeen: 1, confirmed: 1, by: 'pull' },
    ];
    expect(tagHistory.of('hub', alpine, latest)).toEqual(known);
    expect((await opened.reopen()).tagHistory.of('hub', alpine, latest)).toEqual(known);
    expect(opened.store.tagHistory.of('quay', alpine, latest)).toEqual([]);
  });

  it('keeps the last hundred digests of a tag', async () => {
    await using opened = await openTestStore();
    const { tagHistory } = opened.store;
    for (let number = 1; number <= 105; number += 1) {
      tagHistory.note('hub', alpine, latest, { view, digest: digest(`${number}`), at: number, by: 'pull' });
    }
    const known = tagHistory.of('hub', alpine, latest);
    expect(known).toHaveLength(100);
    expect(known[0]).toMatchObject({ digest: digest('105'), turn: 105 });
  });

  it('forgets what was confirmed longest ago when there is too much of all tags', async () => {
    await using directory = await temporaryDirectory();
    const warn = () => undefined;
    const database = openDatabase(`${directory.path}/facts.db`, warn);
    const open = () => createTagHistory(database, createHealth(warn), 20);
    const note = (history: ReturnType<typeof open>, tag: number) =>
      history.note('hub', alpine, `t${tag}` as Tag, { view, digest: digest('a'), at: tag * MINUTE, by: 'pull' });
    const first = open();
    for (let tag = 1; tag <= 15; tag += 1) note(first, tag);
    // A new process counts what the one before has left.
    const second = open();
    for (let tag = 16; tag <= 40; tag += 1) note(second, tag);
    const known = Array.from({ length: 40 }, (_, tag) => second.of('hub', alpine, `t${tag + 1}` as Tag).length);
    database.close(true);
    expect(known.filter((length) => length > 0)).toHaveLength(20);
    expect(known.slice(20)).toEqual(Array.from({ length: 20 }, () => 1));
  });

  it('goes with the registry that it is about', async () => {
    await using opened = await openTestStore();
    const { facts, tagHistory, pins } = opened.store;
    facts.bindUpstream('hub', 'https://one.test');
    tagHistory.note('hub', alpine, latest, { view, digest: digest('a'), at: 1, by: 'pull' });
    pins.put('hub', alpine, latest, { digest: digest('a'), pinnedAt: 1 });
    facts.bindUpstream('hub', 'https://two.test');
    expect(tagHistory.of('hub', alpine, latest)).toEqual([]);
    expect(pins.of('hub', alpine, latest)).toBeDefined();
  });
});

describe('pins', () => {
  it('survive a restart and can be replaced and taken away', async () => {
    await using opened = await openTestStore();
    const { pins } = opened.store;
    expect(pins.of('hub', alpine, latest)).toBeUndefined();
    pins.put('hub', alpine, latest, { digest: digest('a'), pinnedAt: 1 });
    pins.put('hub', alpine, latest, { digest: digest('b'), pinnedAt: 2, note: 'bad release' });
    const again = await opened.reopen();
    expect(again.pins.of('hub', alpine, latest)).toEqual({ digest: digest('b'), pinnedAt: 2, note: 'bad release' });
    expect(again.pins.of('hub', busybox, latest)).toBeUndefined();
    expect(again.pins.drop('hub', alpine, latest)).toBe(true);
    expect(again.pins.drop('hub', alpine, latest)).toBe(false);
    expect((await opened.reopen()).pins.of('hub', alpine, latest)).toBeUndefined();
  });
});

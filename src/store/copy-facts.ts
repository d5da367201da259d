import { copyFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SQLOutputValue } from 'node:sqlite';
import type { Digest } from '../domain/digest.ts';
import { openDatabase } from './database.ts';
import { createLayout } from './layout.ts';
import { openReadOnly } from './read-only.ts';

/**
 * Copies the facts of a cache directory, and of its content no more than these manifests, into a directory of their own, whether
 * a manifix runs on it or not.
 */
export async function copyFacts(directory: string, target: string, manifests: readonly Digest[]): Promise<void> {
  const from = createLayout(directory);
  const to = createLayout(target);
  await mkdir(dirname(to.facts), { recursive: true });
  const database = openReadOnly(from.facts);
  try {
    database.prepare('VACUUM INTO ?').run(to.facts);
  } finally {
    database.close();
  }
  for (const digest of manifests) {
    const path = to.content('manifest', digest);
    await mkdir(dirname(path), { recursive: true });
    // What is gone is asked of the registry, as the manifix on that directory would.
    await copyFile(from.content('manifest', digest), path).catch(() => undefined);
  }
}

interface TagPlace {
  readonly upstream: string;
  readonly repository: string;
  readonly tag: string;
}

/** Copies what a tag meant and what it is pinned to into the facts of a directory of their own, which hold nothing else. */
export async function copyTag(
  directory: string,
  target: string,
  { upstream, repository, tag }: TagPlace,
): Promise<void> {
  const to = createLayout(target);
  await mkdir(dirname(to.facts), { recursive: true });
  const from = openReadOnly(createLayout(directory).facts);
  const copy = openDatabase(to.facts, () => undefined);
  try {
    const rows = (sql: string, ...values: readonly string[]) => from.prepare(sql).all(...values);
    const of = 'WHERE upstream = ? AND repository = ? AND tag = ?';
    const bound = rows('SELECT name, url FROM upstreams WHERE name = ?', upstream);
    const history = rows(`SELECT * FROM tag_history ${of}`, upstream, repository, tag);
    const pins = rows(`SELECT * FROM pins ${of}`, upstream, repository, tag);
    copy.transact((statements) => {
      for (const { name, url } of bound) statements.putUpstream.run(name ?? null, url ?? null);
      for (const row of history) statements.putSighting.run(...columns(row, SIGHTING));
      for (const row of pins) statements.putPin.run(...columns(row, PIN));
    });
  } finally {
    copy.close(true);
    from.close();
  }
}

// In the order of the statements.
const SIGHTING = 'upstream repository tag view digest turn first_seen confirmed seen_by user'.split(' ');
const PIN = 'upstream repository tag digest note pinned_at'.split(' ');

function columns(row: Readonly<Record<string, SQLOutputValue>>, names: readonly string[]): SQLOutputValue[] {
  return names.map((name) => row[name] ?? null);
}

import { readFileSync } from 'node:fs';
import type { View } from '../domain/accept.ts';
import { algorithmOf, type Digest, digestOf } from '../domain/digest.ts';
import { inspectManifest, type ManifestInspection } from '../domain/manifest.ts';
import type { Sighting } from '../domain/tag-history.ts';
import { type ContentKind, createLayout } from './layout.ts';
import { openReadOnly } from './read-only.ts';
import { SIGHTINGS_OF_TAG } from './statements.ts';
import { sightingOf } from './tag-history.ts';
import type { LinkAccess } from './types.ts';

/** A tag that was pulled. The times are in milliseconds since the epoch. */
export interface PulledTag {
  readonly upstream: string;
  readonly repository: string;
  readonly tag: string;
  readonly pulledAt: number;
}

/** What a tag meant to one kind of request. */
export interface HeldTag {
  readonly view: View;
  readonly digest: Digest;
  readonly confirmedAt: number;
}

/** What a cache directory holds, read without changing anything, not even the order of use. */
export interface Holdings {
  /** Tags pulled since a time, the latest first. */
  pulledSince(time: number): readonly PulledTag[];
  tags(upstream: string, repository: string, tag: string): readonly HeldTag[];
  /** What a tag is pinned to by command. */
  pinOf(upstream: string, repository: string, tag: string): Digest | undefined;
  /** What a tag meant, by view, the latest first. */
  history(upstream: string, repository: string, tag: string): readonly Sighting[];
  /** The digests of manifests that were derived from this one. */
  derivedFrom(upstream: string, repository: string, original: Digest): readonly Digest[];
  /** What this digest was derived from; undefined when it was not. */
  originalOf(upstream: string, repository: string, derived: Digest): Digest | undefined;
  /** The bytes of content; undefined when it is not stored. */
  size(kind: ContentKind, digest: Digest): number | undefined;
  /** Who was seen to read it in this repository. */
  access(upstream: string, repository: string, kind: ContentKind, digest: Digest): LinkAccess | undefined;
  /** What a stored manifest says; undefined when it is absent or damaged. */
  manifest(digest: Digest): ManifestInspection | undefined;
  close(): void;
}

/**
 * Opens a cache directory for looking at it, whether a manifix runs on it or not.
 * @throws an Error whose message is one plain sentence when it cannot be read
 */
export function openHoldings(directory: string): Holdings {
  const layout = createLayout(directory);
  const database = openReadOnly(layout.facts);
  const all = (sql: string, ...values: readonly (string | number)[]) => database.prepare(sql).all(...values);
  // What the database gives back are the branded types that were written to it.
  return {
    pulledSince: (time) =>
      all(
        'SELECT upstream, repository, tag, pulled_at FROM pulls WHERE pulled_at >= ? ORDER BY pulled_at DESC',
        time,
      ).map((row) => ({
        upstream: String(row.upstream),
        repository: String(row.repository),
        tag: String(row.tag),
        pulledAt: Number(row.pulled_at),
      })),
    tags: (upstream, repository, tag) =>
      all(
        'SELECT view, digest, confirmed_at FROM tags WHERE upstream = ? AND repository = ? AND tag = ? ORDER BY confirmed_at DESC',
        upstream,
        repository,
        tag,
      ).map((row) => ({
        view: row.view as View,
        digest: row.digest as Digest,
        confirmedAt: Number(row.confirmed_at),
      })),
    pinOf(upstream, repository, tag) {
      const [row] = all(
        'SELECT digest FROM pins WHERE upstream = ? AND repository = ? AND tag = ?',
        upstream,
        repository,
        tag,
      );
      return row?.digest as Digest | undefined;
    },
    history: (upstream, repository, tag) => all(SIGHTINGS_OF_TAG, upstream, repository, tag).map(sightingOf),
    derivedFrom: (upstream, repository, original) =>
      all(
        'SELECT digest FROM derived WHERE upstream = ? AND repository = ? AND original = ?',
        upstream,
        repository,
        original,
      ).map((row) => row.digest as Digest),
    originalOf(upstream, repository, derived) {
      const [row] = all(
        'SELECT original FROM derived WHERE upstream = ? AND repository = ? AND digest = ?',
        upstream,
        repository,
        derived,
      );
      return row?.original as Digest | undefined;
    },
    size(kind, digest) {
      const [row] = all('SELECT size FROM contents WHERE kind = ? AND digest = ?', kind, digest);
      return row === undefined ? undefined : Number(row.size);
    },
    access(upstream, repository, kind, digest) {
      const [row] = all(
        'SELECT access FROM links WHERE upstream = ? AND repository = ? AND kind = ? AND digest = ?',
        upstream,
        repository,
        kind,
        digest,
      );
      return row?.access as LinkAccess | undefined;
    },
    manifest(digest) {
      try {
        const bytes = readFileSync(layout.content('manifest', digest));
        return digestOf(bytes, algorithmOf(digest)) === digest ? inspectManifest(bytes) : undefined;
      } catch {
        return undefined;
      }
    },
    close: () => database.close(),
  };
}

import { LRUCache } from 'lru-cache';
import type { DerivationKind } from '../domain/derivation.ts';
import type { Digest } from '../domain/digest.ts';
import type { MediaType } from '../domain/media-type.ts';
import type { RepositoryName } from '../domain/reference.ts';
import type { ReferrerDescriptor } from '../domain/referrers.ts';
import type { Database } from './database.ts';
import { attempt, type Health } from './health.ts';
import type { Statements } from './statements.ts';
import type { DerivedManifest, Facts, LinkAccess } from './types.ts';

type Row = Record<string, unknown>;

/** In milliseconds. A tag that many nodes pull costs one row an hour. */
const PULL_PRECISION = 3_600_000;
const REMEMBERED_PULLS = 10_000;

/**
 * The facts in the database. Casts at this boundary are sound: values come back as the branded types they were written from.
 */
export function createFacts(database: Database, health: Health): Facts {
  const { recall, recallFresh, note, forget, noteDurably } = createMemory(database, health);
  const pulls = new LRUCache<string, number>({ max: REMEMBERED_PULLS });
  return {
    bindUpstream(name, registry) {
      const bound = recall((statements) => statements.upstream.get(name));
      if (bound?.url === registry) return;
      pulls.clear();
      forget((statements) => {
        statements.dropUpstreamTags.run(name);
        statements.dropUpstreamLinks.run(name);
        statements.dropUpstreamSigned.run(name);
        statements.dropUpstreamPulls.run(name);
        statements.dropUpstreamHistory.run(name);
        statements.putUpstream.run(name, registry);
      });
    },
    demands(upstream) {
      const text = recall((statements) => statements.demands.get(upstream))?.demands;
      return typeof text === 'string' ? (JSON.parse(text) as readonly string[]) : undefined;
    },
    putDemands(upstream, challenges) {
      note((statements) => statements.putDemands.run(JSON.stringify(challenges), upstream));
    },
    tag(upstream, repository, tag, view) {
      const row = recallFresh((statements) => statements.tag.get(upstream, repository, tag, view));
      return row && { digest: row.digest as Digest, confirmedAt: Number(row.confirmed_at) };
    },
    putTag(upstream, repository, tag, view, { digest, confirmedAt }) {
      note((statements) => statements.putTag.run(upstream, repository, tag, view, digest, confirmedAt));
    },
    dropTags(upstream, repository, tag) {
      forget((statements) =>
        tag === undefined
          ? statements.dropRepositoryTags.run(upstream, repository)
          : statements.dropTag.run(upstream, repository, tag),
      );
    },
    putPull(upstream, repository, tag, at) {
      const key = `${upstream} ${repository} ${tag}`;
      if (at - (pulls.get(key) ?? Number.NEGATIVE_INFINITY) < PULL_PRECISION) return;
      pulls.set(key, at);
      note((statements) => statements.putPull.run(upstream, repository, tag, at));
    },
    link(upstream, repository, kind, digest) {
      const row = recallFresh((statements) => statements.link.get(upstream, repository, kind, digest));
      return row?.access as LinkAccess | undefined;
    },
    linkedIn(upstream, kind, digest) {
      const rows = recallFresh((statements) => statements.linkedIn.all(upstream, kind, digest)) ?? [];
      return rows.map((row) => row.repository as RepositoryName);
    },
    putLink(upstream, repository, kind, digest, access) {
      note((statements) => statements.putLink.run(upstream, repository, kind, digest, access));
    },
    dropLink(upstream, repository, kind, digest) {
      forget((statements) => statements.dropLink.run(upstream, repository, kind, digest));
    },
    derived(upstream, repository, digest) {
      return derivedManifest(recall((statements) => statements.derived.get(upstream, repository, digest)));
    },
    derivedFrom(upstream, repository, original, kind) {
      return derivedManifest(recall((statements) => statements.derivedFrom.get(upstream, repository, original, kind)));
    },
    keptConfig(upstream, repository, digest) {
      const row = recall((statements) => statements.config.get(upstream, repository, digest));
      return row && { original: row.original as Digest, bytes: row.bytes as Uint8Array };
    },
    putDerived(upstream, repository, { digest, original, mediaType, bytes, kind, config }) {
      noteDurably((statements) => {
        statements.putDerived.run(upstream, repository, digest, original, mediaType, bytes, kind);
        if (config !== undefined) statements.putConfig.run(upstream, repository, config.digest, original, config.bytes);
      });
    },
    dropDerived(upstream, repository, original) {
      forget((statements) => {
        statements.dropDerived.run(upstream, repository, original);
        statements.dropConfigs.run(upstream, repository, original);
      });
    },
    signed(upstream, repository, original) {
      const row = recall((statements) => statements.signed.get(upstream, repository, original));
      return row && row.signed === 1;
    },
    putSigned(upstream, repository, original, signed) {
      note((statements) => statements.putSigned.run(upstream, repository, original, signed ? 1 : 0));
    },
    referrers(upstream, repository, subject) {
      const rows = recall((statements) => statements.referrers.all(upstream, repository, subject));
      return rows?.map(({ descriptor }) => JSON.parse(String(descriptor)) as ReferrerDescriptor);
    },
    putReferrer(upstream, repository, { subject, descriptor }) {
      const text = JSON.stringify(descriptor);
      noteDurably((statements) => statements.putReferrer.run(upstream, repository, descriptor.digest, subject, text));
    },
    dropReferrer(upstream, repository, digest) {
      note((statements) => statements.dropReferrer.run(upstream, repository, digest));
    },
  };
}

function derivedManifest(row: Row | undefined): DerivedManifest | undefined {
  if (row === undefined) return undefined;
  return {
    digest: row.digest as Digest,
    original: row.original as Digest,
    mediaType: row.media_type as MediaType,
    bytes: row.bytes as Uint8Array,
    kind: row.kind as DerivationKind,
  };
}

/** How the facts meet a database that fails: reading knows nothing, writing reports it, and nothing outlives its deletion. */
function createMemory(database: Database, health: Health) {
  // Set when something could not be deleted. Tags and links can be learnt again, so all of them go instead.
  let hasRemnants = false;

  function write(action: (statements: Statements) => unknown, durable?: 'durable'): void {
    database.transact((statements) => {
      if (hasRemnants) {
        statements.dropAllTags.run();
        statements.dropAllLinks.run();
      }
      action(statements);
    }, durable);
    hasRemnants = false;
    health.worked('facts');
  }

  const recall = <T>(query: (statements: Statements) => T): T | undefined => attempt(health, () => database.run(query));
  return {
    recall,
    recallFresh: <T>(query: (statements: Statements) => T): T | undefined => (hasRemnants ? undefined : recall(query)),
    note: (action: (statements: Statements) => unknown) => attempt(health, () => write(action)),
    noteDurably: (action: (statements: Statements) => unknown) => {
      try {
        write(action, 'durable');
      } catch (error) {
        health.failed(error);
        throw error;
      }
    },
    forget(action: (statements: Statements) => unknown) {
      const done = attempt(health, () => {
        write(action);
        return true;
      });
      hasRemnants ||= done === undefined;
    },
  };
}

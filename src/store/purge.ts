import type { Digest } from '../domain/digest.ts';
import type { PurgeSelection } from '../domain/purge.ts';
import type { Contents, ContentUse } from './contents.ts';
import type { Database } from './database.ts';
import type { ContentKind } from './layout.ts';
import type { Quarantine } from './quarantine.ts';
import type { Statements } from './statements.ts';

export interface PurgeOptions {
  readonly database: Database;
  readonly contents: Contents;
  readonly quarantine: Quarantine;
  readonly now: () => number;
  /** Rejects when the file system refuses. */
  remove(kind: ContentKind, digest: Digest): Promise<void>;
}

/** What a purge took out of the cache, or would. */
export interface PurgeReport {
  readonly dryRun: boolean;
  readonly blobs: number;
  readonly manifests: number;
  /** Of blobs and manifests. */
  readonly bytes: number;
  readonly tags: number;
  /** Records that a repository holds a blob or a manifest. */
  readonly links: number;
  readonly derivedManifests: number;
  /** Files that could not be removed, and the first reason. */
  readonly failed: number;
  readonly failure?: string;
}

type Purged = Pick<ContentUse, 'kind' | 'digest' | 'size'>;
type FactCounts = Pick<PurgeReport, 'tags' | 'links' | 'derivedManifests'>;

interface Plan {
  readonly files: Iterable<Purged>;
  forget(statements: Statements): FactCounts;
}

/**
 * Takes content out of the cache and forgets what was known of it. Derived manifests go only with their own digest or their
 * repository, because nobody else has them. Rejects with SQLite's error, or the signal's reason with part of the work done.
 */
export async function purge(
  options: PurgeOptions,
  selection: PurgeSelection,
  dryRun: boolean,
  signal: AbortSignal,
): Promise<PurgeReport> {
  const { database, quarantine } = options;
  const plan = planFor(options, selection);
  const facts = forget(database, plan, dryRun);
  const totals = { blobs: 0, manifests: 0, bytes: 0, failed: 0 };
  let failure: string | undefined;
  for (const { kind, digest, size } of plan.files) {
    signal.throwIfAborted();
    try {
      if (!dryRun) await options.remove(kind, digest);
      totals[`${kind}s`] += 1;
      totals.bytes += size;
    } catch (error) {
      totals.failed += 1;
      failure ??= (error as Error).message;
    }
  }
  if (selection.by === 'all' && !dryRun) await quarantine.empty();
  return { dryRun, ...totals, ...facts, ...(failure === undefined ? {} : { failure }) };
}

function planFor(options: PurgeOptions, selection: PurgeSelection): Plan {
  switch (selection.by) {
    case 'digest':
      return planDigest(options, selection.digest);
    case 'repository':
      return planRepository(options, selection.name);
    case 'age':
      return {
        files: leastUsed(options.contents, options.now() - selection.unusedFor),
        forget: () => ({ tags: 0, links: 0, derivedManifests: 0 }),
      };
    case 'all':
      return {
        files: leastUsed(options.contents, Number.POSITIVE_INFINITY),
        forget(statements) {
          statements.dropAllSigned.run();
          const tags = Number(statements.dropAllTags.run().changes);
          return { tags, links: Number(statements.dropAllLinks.run().changes), derivedManifests: 0 };
        },
      };
  }
}

function planDigest({ contents }: PurgeOptions, digest: Digest): Plan {
  return {
    files: (['blob', 'manifest'] as const).flatMap((kind) => {
      const record = contents.find(kind, digest);
      return record === undefined ? [] : [{ kind, digest, size: record.size }];
    }),
    forget: (statements) => ({
      tags: Number(statements.dropDigestTags.run(digest).changes),
      links: Number(statements.dropDigestLinks.run(digest).changes),
      derivedManifests: Number(statements.dropDigestDerived.run(digest).changes),
    }),
  };
}

function planRepository({ database }: PurgeOptions, name: string): Plan {
  const repositories = repositoriesNamed(database, name);
  return {
    // The columns are those of Purged. What another repository holds as well stays.
    files: database.run((statements) => statements.linkedOnlyBy.all(repositories)) as unknown as Purged[],
    forget(statements) {
      statements.dropSignedOf.run(repositories);
      statements.dropConfigsOf.run(repositories);
      return {
        tags: Number(statements.dropTagsOf.run(repositories).changes),
        links: Number(statements.dropLinksOf.run(repositories).changes),
        derivedManifests: Number(statements.dropDerivedOf.run(repositories).changes),
      };
    },
  };
}

/**
 * The repositories that a name means, as a JSON list of [upstream, repository]: `hub/library/alpine` is `library/alpine` of the
 * upstream `hub` if there is such a one, otherwise a repository of that name.
 */
function repositoriesNamed(database: Database, name: string): string {
  const rows = database.run((statements) => statements.repositoriesNamed.all(name));
  const found = rows.map(({ upstream, repository }) => [String(upstream), String(repository)] as const);
  const exact = found.filter(([upstream, repository]) => `${upstream}/${repository}` === name);
  return JSON.stringify(exact.length > 0 ? exact : found);
}

/** All that was used before a moment, least recently used first. */
function* leastUsed(contents: Contents, before: number): Iterable<Purged> {
  let last: ContentUse | undefined;
  do {
    const batch = contents.leastUsed(last);
    for (const content of batch) {
      if (content.used >= before) return;
      yield content;
    }
    last = batch.at(-1);
  } while (last !== undefined);
}

function forget(database: Database, plan: Plan, dryRun: boolean): FactCounts {
  let counts: FactCounts | undefined;
  const action = (statements: Statements) => {
    counts = plan.forget(statements);
  };
  if (dryRun) database.rehearse(action);
  else database.transact(action);
  if (counts === undefined) throw new Error('the database did nothing');
  return counts;
}

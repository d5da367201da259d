import type { AuditEvent } from './audit.ts';
import { type Digest, parseDigest } from './digest.ts';
import { parseRepositoryName } from './reference.ts';

/** What is to be taken out of the cache. */
export type PurgeSelection =
  | { readonly by: 'digest'; readonly digest: Digest }
  /** `repository`, or `upstream/repository` where that means something. */
  | { readonly by: 'repository'; readonly name: string }
  /** What was not used for that many milliseconds. */
  | { readonly by: 'age'; readonly unusedFor: number }
  | { readonly by: 'all' };

/** The four ways to choose, as an operator wrote them; `olderThan` in milliseconds. */
export interface PurgeWords {
  readonly digest?: string | undefined;
  readonly repository?: string | undefined;
  readonly olderThan?: number | undefined;
  readonly all?: boolean | undefined;
}

/** Makes a selection of exactly one way to choose, or says what is wrong. */
export function parsePurgeSelection(
  words: PurgeWords,
): { readonly selection: PurgeSelection } | { readonly wrong: string } {
  const { digest, repository, olderThan, all } = words;
  const chosen = [digest, repository, olderThan, all === true ? all : undefined].filter((word) => word !== undefined);
  if (chosen.length !== 1) return { wrong: 'choose one: a digest, a repository, an age, or all' };
  if (digest !== undefined) {
    const parsed = parseDigest(digest);
    return parsed ? { selection: { by: 'digest', digest: parsed } } : { wrong: `"${digest}" is not a digest` };
  }
  if (repository !== undefined) {
    const name = parseRepositoryName(repository);
    return name
      ? { selection: { by: 'repository', name } }
      : { wrong: `"${repository}" is not the name of a repository` };
  }
  return { selection: olderThan === undefined ? { by: 'all' } : { by: 'age', unusedFor: olderThan } };
}

/** What a purge took out. */
export interface PurgeFigures {
  readonly blobs: number;
  readonly manifests: number;
  readonly bytes: number;
  /** Files that could not be removed. */
  readonly failed: number;
}

/** The line of the audit log; without figures the purge was given up. */
export function purgeEvent(selection: PurgeSelection, client: string, figures?: PurgeFigures): AuditEvent {
  const { by } = selection;
  const counts = figures && {
    blobs: figures.blobs,
    manifests: figures.manifests,
    bytes: figures.bytes,
    failed: figures.failed,
  };
  return {
    event: 'purge',
    outcome: figures?.failed === 0 ? 'done' : 'failed',
    client,
    ...(by === 'repository' ? { repository: selection.name } : {}),
    ...(by === 'digest' ? { digest: selection.digest } : {}),
    detail: { by, ...(by === 'age' ? { unusedForMilliseconds: selection.unusedFor } : {}), ...counts },
  };
}

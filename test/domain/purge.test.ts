import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { type PurgeSelection, parsePurgeSelection, purgeEvent } from '../../src/domain/purge.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const CHOOSE_ONE = { wrong: 'choose one: a digest, a repository, an age, or all' };

describe('what to purge', () => {
  it.each([
    [{ digest }, { by: 'digest', digest }],
    [{ repository: 'hub/library/alpine' }, { by: 'repository', name: 'hub/library/alpine' }],
    [{ olderThan: 1000 }, { by: 'age', unusedFor: 1000 }],
    [
      { olderThan: 0, all: false },
      { by: 'age', unusedFor: 0 },
    ],
    [{ all: true }, { by: 'all' }],
  ])('is chosen by %j', (words, selection) => {
    expect(parsePurgeSelection(words)).toEqual({ selection });
  });

  it.each([[{}], [{ all: false }], [{ digest, all: true }], [{ olderThan: 0, repository: 'a' }]])(
    'is not chosen by %j, which is none or more than one way',
    (words) => {
      expect(parsePurgeSelection(words)).toEqual(CHOOSE_ONE);
    },
  );

  it('is told when it is no digest or no repository', () => {
    expect(parsePurgeSelection({ digest: 'sha256:1' })).toEqual({ wrong: '"sha256:1" is not a digest' });
    expect(parsePurgeSelection({ repository: '../x' })).toEqual({ wrong: '"../x" is not the name of a repository' });
  });
});

describe('the audit event of a purge', () => {
  const figures = { blobs: 1, manifests: 2, bytes: 3, failed: 0 };
  const some = digestOf(Buffer.from('some'));

  it.each<[PurgeSelection, object]>([
    [{ by: 'all' }, { detail: { by: 'all', ...figures } }],
    [{ by: 'age', unusedFor: 5 }, { detail: { by: 'age', unusedForMilliseconds: 5, ...figures } }],
    [
      { by: 'repository', name: 'hub/app' },
      { repository: 'hub/app', detail: { by: 'repository', ...figures } },
    ],
    [
      { by: 'digest', digest: some },
      { digest: some, detail: { by: 'digest', ...figures } },
    ],
  ])('of %j tells who asked, what for and what went', (selection, told) => {
    expect(purgeEvent(selection, 'local', { ...figures, dryRun: false } as typeof figures)).toEqual({
      event: 'purge',
      outcome: 'done',
      client: 'local',
      ...told,
    });
  });

  it('tells when not all went, and when it was given up', () => {
    expect(purgeEvent({ by: 'all' }, 'local', { ...figures, failed: 1 }).outcome).toBe('failed');
    expect(purgeEvent({ by: 'all' }, 'local')).toEqual({
      event: 'purge',
      outcome: 'failed',
      client: 'local',
      detail: { by: 'all' },
    });
  });
});

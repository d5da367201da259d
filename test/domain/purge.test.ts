import { describe, expect, it } from 'vitest';
import { parsePurgeSelection } from '../../src/domain/purge.ts';

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

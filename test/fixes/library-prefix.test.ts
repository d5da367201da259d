import { describe, expect, it } from 'vitest';
import { libraryPrefix } from '../../src/fixes/library-prefix.ts';

describe('library-prefix', () => {
  it('is on, and has no hooks: names are mapped at the edge', () => {
    expect(libraryPrefix.defaultMode).toBe('on');
    expect([libraryPrefix.request, libraryPrefix.manifest, libraryPrefix.response]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

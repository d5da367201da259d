import { describe, expect, it } from 'vitest';
import { createVersions } from '../../src/lib/versions.ts';

describe('versions', () => {
  it('are other ones after a change, for that name only', () => {
    const versions = createVersions();
    const [one, other] = [versions.of('one'), versions.of('other')];
    versions.changed('one');
    expect(versions.of('one')).not.toBe(one);
    expect(versions.of('other')).toBe(other);
  });

  it('are other ones for every name when everything changed', () => {
    const versions = createVersions();
    versions.changed('one');
    const [one, other] = [versions.of('one'), versions.of('other')];
    versions.allChanged();
    expect(versions.of('one')).not.toBe(one);
    expect(versions.of('other')).not.toBe(other);
  });

  it('are kept for the names that changed last', () => {
    const versions = createVersions(2);
    for (const name of ['a', 'b', 'a', 'c']) versions.changed(name);
    expect(versions.of('a')).toBe(3);
    expect(versions.of('b')).toBe(versions.of('never'));
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAccept, parseAccept, viewOf } from '../../src/domain/accept.ts';
import { DOCKER_MANIFEST, MANIFEST_TYPES, OCI_INDEX, SCHEMA1_SIGNED } from '../../src/domain/media-type.ts';

const acceptLine = fc.oneof(
  fc.string(),
  fc
    .array(
      fc.constantFrom(
        '*/*',
        'text/*',
        OCI_INDEX,
        'A/B',
        'a/b',
        ';q=0',
        ';q=0.5',
        ';p="x,y;q=0"',
        ',',
        ' ',
        '"',
        '\\',
        ';',
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join('')),
);

describe('parseAccept', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['no header', [], []],
    ['an empty line', [''], []],
    ['one line per type', ['a/b', 'c/d'], ['a/b', 'c/d']],
    ['one comma list', ['a/b, c/d,e/f'], ['a/b', 'c/d', 'e/f']],
    ['ranges', ['*/*, application/*'], ['*/*', 'application/*']],
    ['capitals', ['APPLICATION/VND.OCI.IMAGE.INDEX.V1+JSON'], [OCI_INDEX]],
    ['parameters', ['a/b; q=0.9; v=1 , c/d;x'], ['a/b', 'c/d']],
    ['repetition', ['a/b, A/B', 'a/b;q=0.1'], ['a/b']],
    ['q=0 in its forms', ['a/b;q=0, c/d;Q=0.000, e/f; q = 0. ,g/h;v=1;q=.0,i/j;q=0.001'], ['i/j']],
    ['a type once refused and once wanted', ['a/b;q=0, a/b'], ['a/b']],
    ['commas and semicolons in quotes', ['a/b;p="x,y;q=0", c/d'], ['a/b', 'c/d']],
    ['an escaped quote', ['a/b;p="\\",c/d", e/f'], ['a/b', 'e/f']],
    ['an open quote', ['a/b;p="x, c/d'], ['a/b']],
    ['a backslash outside quotes', ['a/b\\, c/d'], ['c/d']],
    [
      "Java's default",
      ['text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2'],
      ['text/html', 'image/gif', 'image/jpeg', '*/*'],
    ],
    ['garbage', ['nonsense, /, a/, /b, a b/c, "a/b"'], []],
  ])('reads %s', (_name, lines, types) => {
    expect(parseAccept(lines)).toEqual(types);
  });

  it('is idempotent, as a list and through one formatted line', () => {
    fc.assert(
      fc.property(fc.array(acceptLine, { maxLength: 5 }), (lines) => {
        const types = parseAccept(lines);
        expect(parseAccept(types)).toEqual(types);
        expect(parseAccept([formatAccept(types)])).toEqual(types);
      }),
    );
  });

  it('does not care whether types come in one line or in several', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a/b', 'c/d;q=0.3', '*/*', 'e/f;q=0', OCI_INDEX)), (members) => {
        expect(parseAccept([members.join(', ')])).toEqual(parseAccept(members));
      }),
    );
  });

  it('reads a hostile line of a megabyte', () => {
    expect(parseAccept([`a/b${',;"\\'.repeat(250_000)}`])).toEqual(['a/b']);
  });
});

describe('formatAccept', () => {
  it('joins into one line', () => {
    expect(formatAccept(['a/b', '*/*'])).toBe('a/b, */*');
  });
});

describe('viewOf', () => {
  it('is "all" for the four manifest types in any order, with or without others', () => {
    expect(viewOf(MANIFEST_TYPES)).toBe('all');
    expect(viewOf([...MANIFEST_TYPES, SCHEMA1_SIGNED, '*/*'].reverse())).toBe('all');
  });

  it('is "none" when no manifest type is named, wildcards included', () => {
    expect(viewOf([])).toBe('none');
    expect(viewOf(['*/*', 'application/json', SCHEMA1_SIGNED])).toBe('none');
  });

  it('names the types that are named, in one order', () => {
    expect(viewOf([OCI_INDEX, DOCKER_MANIFEST])).toBe(`${DOCKER_MANIFEST}+${OCI_INDEX}`);
    expect(viewOf([DOCKER_MANIFEST, '*/*', OCI_INDEX])).toBe(`${DOCKER_MANIFEST}+${OCI_INDEX}`);
  });
});

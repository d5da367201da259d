import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonDefect, type JsonKind, scanElements, scanJson } from '../../src/domain/json-scan.ts';
import { textOf, utf8 } from './bytes.ts';

function scanned(text: string) {
  const document = scanJson(utf8(text));
  if ('defect' in document) throw new Error(`unexpected defect ${document.defect} in ${text}`);
  return document;
}

function defectOf(bytes: Uint8Array): JsonDefect | undefined {
  const document = scanJson(bytes);
  return 'defect' in document ? document.defect : undefined;
}

function kindOf(value: unknown): JsonKind {
  if (value === null || typeof value === 'boolean') return String(value) as JsonKind;
  return Array.isArray(value) ? 'array' : (typeof value as JsonKind);
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const jsonText = fc
  .tuple(fc.jsonValue({ noUnicodeString: false, maxDepth: 5 }), fc.constantFrom('', ' ', '\t', 2))
  .map(([value, indent]) => JSON.stringify(value, null, indent));

/** Texts that are nearly JSON: pieces of it in any order. */
const jsonPieces = fc
  .array(
    fc.constantFrom(
      ...['{', '}', '[', ']', ',', ':', '"a"', '"é😀"', '"\\u00e9"', '"\\', '"\\ud800"', '"\u0001"', '"\\x"', '""'],
      ...['0', '-', '1', '.', 'e', 'E', '+', 'true', 'false', 'null', 'nul', ' ', '\n', '\f', '\u00a0', '{"a":', '[1,'],
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(''));

describe('scanJson', () => {
  it('accepts exactly what JSON.parse accepts, apart from depth', () => {
    fc.assert(
      fc.property(fc.oneof(jsonText, jsonPieces, fc.string(), fc.string({ unit: 'binary' })), (text) => {
        const bytes = utf8(text);
        expect(defectOf(bytes) === undefined).toBe(parses(textOf(bytes)));
      }),
      { numRuns: 3000 },
    );
  });

  it('accepts exactly what JSON.parse accepts when one character of a document is changed', () => {
    fc.assert(
      fc.property(jsonText, fc.nat(), fc.constantFrom(...'{}[]",:0.e-\\ u\n\u0000é'), (text, seed, character) => {
        const at = seed % text.length;
        const changed = textOf(utf8(text.slice(0, at) + character + text.slice(at + 1)));
        expect(defectOf(utf8(changed)) === undefined).toBe(parses(changed));
      }),
      { numRuns: 2000 },
    );
  });

  it('finds the members that JSON.parse finds, where they stand', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
        fc.constantFrom(0, 1),
        (value, indent) => {
          const bytes = utf8(` ${JSON.stringify(value, null, indent)}`);
          const { start, kind, members, repeatedKeys, text } = scanned(textOf(bytes));
          const parsed = JSON.parse(text) as Record<string, unknown>;
          expect({ start, kind, repeatedKeys }).toEqual({ start: 1, kind: 'object', repeatedKeys: [] });
          expect(members.map(({ key }) => key).toSorted()).toEqual(Object.keys(parsed).toSorted());
          for (const member of members) {
            const raw = textOf(bytes.subarray(member.valueStart, member.valueEnd));
            expect(JSON.parse(raw)).toEqual(parsed[member.key]);
            expect(raw).toBe(raw.trim());
            expect(member.kind).toBe(kindOf(parsed[member.key]));
          }
        },
      ),
    );
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(() => scanJson(bytes)).not.toThrow();
        expect(() => scanElements(bytes)).not.toThrow();
      }),
      { numRuns: 2000 },
    );
  });

  it('names a repeated key once, however it is escaped', () => {
    const { members, repeatedKeys } = scanned('{"mediaType":1,"a":2,"\\u006dediaType":3,"a":4,"a":5,"b":{"a":1}}');
    expect(repeatedKeys).toEqual(['mediaType', 'a']);
    expect(members.map(({ key }) => key)).toEqual(['mediaType', 'a', 'mediaType', 'a', 'a', 'b']);
  });

  it('keeps keys that mean something to JavaScript, and the empty key', () => {
    const { members, repeatedKeys } = scanned('{"__proto__":1,"constructor":2,"":3,"toString":4,"__proto__":5,"":6}');
    expect(members.map(({ key }) => key)).toEqual(['__proto__', 'constructor', '', 'toString', '__proto__', '']);
    expect(repeatedKeys).toEqual(['__proto__', '']);
  });

  it('keeps a lone surrogate that is escaped', () => {
    expect(scanned('{"\\ud800":"\\udfff"}').members.map(({ key }) => key)).toEqual(['\ud800']);
  });

  it('counts bytes, not characters, behind text of every width', () => {
    const text = '{"aé€😀":"é€😀", "n" : 9007199254740993 }';
    const bytes = utf8(text);
    const values = scanned(text).members.map(({ valueStart, valueEnd }) =>
      textOf(bytes.subarray(valueStart, valueEnd)),
    );
    expect(values).toEqual(['"é€😀"', '9007199254740993']);
  });

  it.each<[string, JsonKind]>([
    ['{}', 'object'],
    ['[{"a":1}]', 'array'],
    ['"x"', 'string'],
    ['-0.5E+10', 'number'],
    ['true', 'true'],
    ['false', 'false'],
    ['null', 'null'],
  ])('sees that %s is of kind %s and has no members', (text, kind) => {
    expect(scanned(`\n${text}\r\n\t `)).toMatchObject({ kind, start: 1, members: [], repeatedKeys: [] });
  });

  it.each<[string, JsonDefect, Uint8Array]>([
    ['nothing', 'syntax', new Uint8Array()],
    ['a login page', 'syntax', utf8('<html>')],
    ['an unexpanded variable', 'syntax', utf8('$manifest')],
    ['a byte order mark', 'byte-order-mark', utf8('\ufeff{}')],
    ['a byte order mark alone', 'byte-order-mark', utf8('\ufeff')],
    ['UTF-16', 'not-utf8', Buffer.from('\ufeff{}', 'utf16le')],
    ['Latin-1', 'not-utf8', Buffer.from('{"a":"é"}', 'latin1')],
    ['an encoded surrogate', 'not-utf8', new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['an overlong encoding', 'not-utf8', new Uint8Array([0x22, 0xc0, 0xaf, 0x22])],
    ['a second value', 'trailing-data', utf8('{} {}')],
    ['a stray bracket', 'trailing-data', utf8('{}}')],
    ['a byte order mark behind', 'trailing-data', utf8('{}\ufeff')],
    ['a NUL behind', 'trailing-data', utf8('{}\u0000')],
    ['100,000 open arrays', 'too-deep', utf8('['.repeat(100_000))],
    ['100,000 nested objects', 'too-deep', utf8(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)],
    ['129 levels', 'too-deep', utf8('['.repeat(129) + ']'.repeat(129))],
    ['a key without a value', 'syntax', utf8('{"a"}')],
    ['a key that is no string', 'syntax', utf8('{a:1}')],
    ['a broken key', 'syntax', utf8('{"a')],
    ['a missing bracket', 'syntax', utf8('[1')],
    ['the wrong bracket', 'syntax', utf8('[1}')],
    ['a comma too many', 'syntax', utf8('{"a":1,}')],
  ])('reports %s as %s', (_name, defect, bytes) => {
    expect(defectOf(bytes)).toBe(defect);
  });

  it('follows 128 levels', () => {
    expect(defectOf(utf8('['.repeat(128) + ']'.repeat(128)))).toBeUndefined();
  });

  it.each([
    ['one string', `{"a":"${'é\\n'.repeat(1_000_000)}"}`, 1],
    ['one number', `{"a":${'1'.repeat(4_000_000)}}`, 1],
    ['spaces', `{"a":${' '.repeat(4_000_000)}1}`, 1],
    ['members', `{${Array.from({ length: 300_000 }, (_, index) => `"${index}":1`).join()}}`, 300_000],
  ])('reads 4 MB of %s', (_name, text, count) => {
    expect(scanned(text).members).toHaveLength(count);
  });
});

describe('scanElements', () => {
  it('finds the elements where they stand', () => {
    const text = ' [ {"é":[1,2]} ,[],"😀", -1 ]';
    const bytes = utf8(text);
    const elements = scanElements(bytes);
    expect(elements.map(({ kind }) => kind)).toEqual(['object', 'array', 'string', 'number']);
    expect(elements.map(({ valueStart, valueEnd }) => textOf(bytes.subarray(valueStart, valueEnd)))).toEqual([
      '{"é":[1,2]}',
      '[]',
      '"😀"',
      '-1',
    ]);
  });

  it.each(['[]', '{"a":1}', '1', '[1,', '[1] 2', ''])('finds none in %j', (text) => {
    expect(scanElements(utf8(text))).toEqual([]);
  });
});

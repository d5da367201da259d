import { skipScalar, skipString, skipWhitespace, type TextCursor } from './json-tokens.ts';

export type JsonDefect = 'not-utf8' | 'byte-order-mark' | 'syntax' | 'too-deep' | 'trailing-data';

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'true' | 'false' | 'null';

/** Where a value stands: byte offsets, `valueEnd` exclusive. */
export interface JsonValue {
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly kind: JsonKind;
}

export interface JsonMember extends JsonValue {
  /** Decoded: escapes are resolved. */
  readonly key: string;
}

export interface JsonDocument {
  readonly kind: JsonKind;
  /** Byte offset of the top-level value. */
  readonly start: number;
  /** The members of a top-level object in order, repeated ones included; empty for any other value. */
  readonly members: readonly JsonMember[];
  /** Keys that occur more than once at the top level, each once. */
  readonly repeatedKeys: readonly string[];
  /** The whole document decoded, fit for JSON.parse. The offsets do not index it. */
  readonly text: string;
}

/** Real manifests nest about 6 levels. */
const MAX_DEPTH = 128;

const COMMA = 0x2c;
const COLON = 0x3a;
const CLOSE_ARRAY = 0x5d;
const CLOSE_OBJECT = 0x7d;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

interface Walk extends TextCursor {
  /** The bracket that ends each open container, innermost last. */
  readonly closers: number[];
  /** The value directly inside the top-level one that is being read; its key is raw, with quotes, and empty in an array. */
  key: string;
  kind: JsonKind;
  start: number;
  readonly visit: (key: string, value: JsonValue) => void;
}

/**
 * Reads one JSON text (RFC 8259) and reports what JSON.parse hides: where the top-level members stand and which keys are
 * repeated. Takes linear time, follows nesting to 128 levels without recursion, never throws.
 */
export function scanJson(bytes: Uint8Array): JsonDocument | { readonly defect: JsonDefect } {
  const members: JsonMember[] = [];
  const outline = outlineOf(bytes, (key, value) => {
    if (key !== '') members.push({ key: decodeKey(key), ...value });
  });
  return 'defect' in outline ? outline : { ...outline, members, repeatedKeys: repeatedKeysOf(members) };
}

/** The values directly inside a JSON array, in order; none for any other bytes. */
export function scanElements(bytes: Uint8Array): readonly JsonValue[] {
  const elements: JsonValue[] = [];
  const outline = outlineOf(bytes, (_key, value) => {
    elements.push(value);
  });
  return 'defect' in outline || outline.kind !== 'array' ? [] : elements;
}

function outlineOf(
  bytes: Uint8Array,
  visit: Walk['visit'],
): Pick<JsonDocument, 'kind' | 'start' | 'text'> | { readonly defect: JsonDefect } {
  const text = decodeUtf8(bytes);
  if (text === undefined) return { defect: 'not-utf8' };
  if (text.startsWith('\ufeff')) return { defect: 'byte-order-mark' };
  const walk: Walk = { text, at: 0, extraBytes: 0, closers: [], key: '', kind: 'null', start: 0, visit };
  skipWhitespace(walk);
  const start = walk.at;
  const kind = kindAt(walk);
  if (kind === undefined) return { defect: 'syntax' };
  const defect = walkValues(walk);
  if (defect) return { defect };
  skipWhitespace(walk);
  return walk.at < text.length ? { defect: 'trailing-data' } : { kind, start, text };
}

function walkValues(walk: Walk): JsonDefect | undefined {
  for (;;) {
    const begun = beginValue(walk);
    if (begun === 'entered') continue;
    if (begun !== 'passed') return begun;
    const next = endValue(walk);
    if (next !== 'more') return next === 'done' ? undefined : next;
  }
}

/** Passes a scalar or an empty container, or enters a container up to its first value. */
function beginValue(walk: Walk): 'passed' | 'entered' | JsonDefect {
  const kind = kindAt(walk);
  if (kind === undefined) return 'syntax';
  if (walk.closers.length === 1) {
    walk.kind = kind;
    walk.start = walk.at + walk.extraBytes;
  }
  if (kind !== 'object' && kind !== 'array') return skipScalar(walk) ? 'passed' : 'syntax';
  if (walk.closers.length === MAX_DEPTH) return 'too-deep';
  const closer = kind === 'object' ? CLOSE_OBJECT : CLOSE_ARRAY;
  walk.at += 1;
  skipWhitespace(walk);
  if (walk.text.charCodeAt(walk.at) === closer) {
    walk.at += 1;
    return 'passed';
  }
  walk.closers.push(closer);
  return toNextValue(walk) ? 'entered' : 'syntax';
}

/** Closes what ends behind a value; `more` when another value follows. */
function endValue(walk: Walk): 'more' | 'done' | JsonDefect {
  while (walk.closers.length > 0) {
    if (walk.closers.length === 1) {
      walk.visit(walk.key, { valueStart: walk.start, valueEnd: walk.at + walk.extraBytes, kind: walk.kind });
    }
    skipWhitespace(walk);
    const code = walk.text.charCodeAt(walk.at);
    walk.at += 1;
    if (code === COMMA) {
      skipWhitespace(walk);
      return toNextValue(walk) ? 'more' : 'syntax';
    }
    if (code !== walk.closers.pop()) return 'syntax';
  }
  return 'done';
}

/** In an object, passes the key and its colon. */
function toNextValue(walk: Walk): boolean {
  if (walk.closers.at(-1) === CLOSE_ARRAY) return true;
  const keyStart = walk.at;
  if (kindAt(walk) !== 'string' || !skipString(walk)) return false;
  if (walk.closers.length === 1) walk.key = walk.text.slice(keyStart, walk.at);
  skipWhitespace(walk);
  if (walk.text.charCodeAt(walk.at) !== COLON) return false;
  walk.at += 1;
  skipWhitespace(walk);
  return true;
}

function kindAt({ text, at }: TextCursor): JsonKind | undefined {
  switch (text[at]) {
    case '{':
      return 'object';
    case '[':
      return 'array';
    case '"':
      return 'string';
    case 't':
      return 'true';
    case 'f':
      return 'false';
    case 'n':
      return 'null';
    default:
      return at < text.length && '-0123456789'.includes(text.charAt(at)) ? 'number' : undefined;
  }
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

function decodeKey(raw: string): string {
  return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
}

function repeatedKeysOf(members: readonly JsonMember[]): readonly string[] {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { key } of members) {
    if (seen.has(key)) repeated.add(key);
    seen.add(key);
  }
  return [...repeated];
}

/** A place in a decoded text. `extraBytes` is how many more UTF-8 bytes than UTF-16 units lie before it. */
export interface TextCursor {
  readonly text: string;
  at: number;
  extraBytes: number;
}

const QUOTE = 0x22;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const UPPER_E = 0x45;
const BACKSLASH = 0x5c;
const LOWER_E = 0x65;
const LOWER_U = 0x75;
const SIMPLE_ESCAPES = new Set(Array.from('"\\/bfnrt', (character) => character.charCodeAt(0)));
const FOUR_HEX_DIGITS = /^[0-9a-fA-F]{4}$/;

/** Passes the four JSON whitespace characters. */
export function skipWhitespace(cursor: TextCursor): void {
  for (;;) {
    const code = cursor.text.charCodeAt(cursor.at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    cursor.at += 1;
  }
}

/** Passes a string, number, true, false or null; false when there is no well-formed one. */
export function skipScalar(cursor: TextCursor): boolean {
  switch (cursor.text[cursor.at]) {
    case '"':
      return skipString(cursor);
    case 't':
      return skipWord(cursor, 'true');
    case 'f':
      return skipWord(cursor, 'false');
    case 'n':
      return skipWord(cursor, 'null');
    default:
      return skipNumber(cursor);
  }
}

/** Passes a string from its opening quote; false when it is malformed or not closed. */
export function skipString(cursor: TextCursor): boolean {
  const { text } = cursor;
  let at = cursor.at + 1;
  let extraBytes = cursor.extraBytes;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) break;
    if (code === BACKSLASH) {
      const length = escapeLength(text, at);
      if (length === 0) return false;
      at += length;
      continue;
    }
    // Beyond the end the code is NaN, which this refuses as well.
    if (!(code >= 0x20)) return false;
    if (code > 0x7f) extraBytes += extraBytesOf(code);
    at += 1;
  }
  cursor.at = at + 1;
  cursor.extraBytes = extraBytes;
  return true;
}

/** Each half of a surrogate pair stands for two of the four bytes. */
function extraBytesOf(code: number): number {
  return code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2;
}

function escapeLength(text: string, at: number): number {
  const code = text.charCodeAt(at + 1);
  if (code === LOWER_U) return FOUR_HEX_DIGITS.test(text.slice(at + 2, at + 6)) ? 6 : 0;
  return SIMPLE_ESCAPES.has(code) ? 2 : 0;
}

function skipWord(cursor: TextCursor, word: string): boolean {
  if (!cursor.text.startsWith(word, cursor.at)) return false;
  cursor.at += word.length;
  return true;
}

function skipNumber(cursor: TextCursor): boolean {
  if (codeAt(cursor) === MINUS) cursor.at += 1;
  if (codeAt(cursor) === ZERO) cursor.at += 1;
  else if (!skipDigits(cursor)) return false;
  if (codeAt(cursor) === DOT) {
    cursor.at += 1;
    if (!skipDigits(cursor)) return false;
  }
  if (codeAt(cursor) !== LOWER_E && codeAt(cursor) !== UPPER_E) return true;
  cursor.at += 1;
  if (codeAt(cursor) === PLUS || codeAt(cursor) === MINUS) cursor.at += 1;
  return skipDigits(cursor);
}

function skipDigits(cursor: TextCursor): boolean {
  const start = cursor.at;
  while (codeAt(cursor) >= ZERO && codeAt(cursor) <= NINE) cursor.at += 1;
  return cursor.at > start;
}

function codeAt(cursor: TextCursor): number {
  return cursor.text.charCodeAt(cursor.at);
}

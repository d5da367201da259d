import { hash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const PREFIX = 'mfx_';
const SIGNS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 190 bits. */
const RANDOM_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
const FORM = /^mfx_[0-9A-Za-z]{38}$/;

/** Makes a token that nobody can guess. It is easy to recognise, for scanners of secrets too, and one word to a mouse. */
export function newAccessToken(): string {
  const random = Array.from({ length: RANDOM_LENGTH }, () => SIGNS[randomInt(SIGNS.length)]).join('');
  return PREFIX + random + checksumOf(random);
}

/** Whether a text is meant to be a token of manifix. */
export function resemblesAccessToken(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** Whether a text has the form of a token and its checksum: one that was cut or mistyped has not. */
export function isAccessToken(text: string): boolean {
  return FORM.test(text) && text.endsWith(checksumOf(text.slice(PREFIX.length, -CHECKSUM_LENGTH)));
}

/** What is kept of a token. It was chosen by no human, so that one round of hashing is enough. */
export function hashAccessToken(token: string): string {
  return hash('sha256', token, 'base64url');
}

function checksumOf(random: string): string {
  let rest = crc32(random);
  const signs: string[] = [];
  for (let at = 0; at < CHECKSUM_LENGTH; at += 1) {
    signs.unshift(SIGNS[rest % SIGNS.length] ?? '');
    rest = Math.floor(rest / SIGNS.length);
  }
  return signs.join('');
}

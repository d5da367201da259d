import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/**
 * Encrypts a text that clients carry for us and can neither read nor make up.
 * @param key 32 bytes
 * @param context what the text belongs to; it opens only together with the same
 */
export function sealText(key: Uint8Array, context: string, text: string): string {
  const nonce = randomBytes(NONCE_LENGTH);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(context));
  const encrypted = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), encrypted]).toString('base64url');
}

/** The text behind a seal; undefined when it was not made with this key and context. */
export function unsealText(key: Uint8Array, context: string, seal: string): string | undefined {
  const sealed = Buffer.from(seal, 'base64url');
  const start = NONCE_LENGTH + TAG_LENGTH;
  // One seal for one text: base64url has several spellings of the same bytes.
  if (sealed.length < start || sealed.toString('base64url') !== seal) return undefined;
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_LENGTH), { authTagLength: TAG_LENGTH });
  decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(NONCE_LENGTH, start));
  try {
    return decipher.update(sealed.subarray(start), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return undefined;
  }
}

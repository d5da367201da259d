import type { Digest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';

/** The registry sent something else under the digest. `actual` is undefined when the length already was wrong. */
export function digestMismatch(digest: Digest, actual: Digest | undefined, received: number): RegistryError {
  const found = actual === undefined ? 'more bytes than it announced' : `${received} bytes with the digest ${actual}`;
  return new RegistryError('UNAVAILABLE', {
    status: 502,
    message: 'the registry sent wrong content',
    explanation: `Asked for ${digest}, the registry sent ${found}. Nothing of it was stored.`,
  });
}

/** The digest was wrong a moment ago, so the registry is not asked again yet. */
export function recentlyWrong(digest: Digest): RegistryError {
  return new RegistryError('UNAVAILABLE', {
    status: 502,
    message: 'the registry sent wrong content',
    explanation: `The registry sent other content for ${digest} less than a minute ago, so it is not asked again yet.`,
    headers: [['Retry-After', '60']],
  });
}

/** Nobody read the fill, and it was not worth finishing. */
export function abandoned(): RegistryError {
  return new RegistryError('UNAVAILABLE', {
    explanation: 'The download ended because nobody was reading it any more.',
  });
}

/** The store is closing. */
export function shuttingDown(): RegistryError {
  return new RegistryError('UNAVAILABLE', { explanation: 'manifix is shutting down.' });
}

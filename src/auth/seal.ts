import { hash, randomBytes } from 'node:crypto';

/** Stands for credentials, and for nobody outside of this process. */
export type Seal = (...parts: readonly string[]) => string;

/**
 * Makes seals with a key that is made anew by each process and leaves it nowhere, so that a seal cannot be tried against a list of
 * passwords. A key in front is enough, because no seal is ever shown; an HMAC takes four times as long, which is felt in
 * each cached answer.
 */
export function createSeal(): Seal {
  const key = randomBytes(32).toString('base64url');
  return (...parts) => hash('sha256', key + JSON.stringify(parts), 'base64url');
}

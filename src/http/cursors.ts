import { randomBytes } from 'node:crypto';
import { RegistryError } from '../domain/errors.ts';
import { sealText, unsealText } from '../lib/sealed-text.ts';
import type { Endpoint } from '../pipeline/exchange.ts';

/** Where pages of the catalogue start, in the client's words and in the upstream's. */
export interface Cursors {
  /** The upstream's `last` for the client. */
  close(endpoint: Endpoint, prefix: string, cursor: string): string;
  /** @throws RegistryError PAGINATION_NUMBER_INVALID when it was sealed by another process */
  open(endpoint: Endpoint, prefix: string, cursor: string): string;
}

/** Whether a client may not see all that the registry has. */
export function selects({ policy, guard }: Endpoint): boolean {
  return policy.restricts || guard !== undefined;
}

/** No repository begins with it. */
const SEAL = '~';

/**
 * The last name of a page may be one that the endpoint does not serve and does not tell: there, clients get all cursors
 * sealed. Elsewhere they get names with the prefix, which is what the names in the page have, too.
 */
export function createCursors(): Cursors {
  const key = randomBytes(32);
  return {
    close: (endpoint, prefix, cursor) =>
      selects(endpoint) ? `${SEAL}${sealText(key, endpoint.name, cursor)}` : `${prefix}${cursor}`,
    open(endpoint, prefix, cursor) {
      if (!selects(endpoint) || !cursor.startsWith(SEAL)) {
        return cursor.startsWith(prefix) ? cursor.slice(prefix.length) : cursor;
      }
      const opened = unsealText(key, endpoint.name, cursor.slice(SEAL.length));
      if (opened !== undefined) return opened;
      throw new RegistryError('PAGINATION_NUMBER_INVALID', {
        message: 'invalid start of a page',
        explanation:
          'manifix was started or configured anew since it gave out this Link. Ask for the list from its start.',
      });
    },
  };
}

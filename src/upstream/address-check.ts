import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isInternalAddress, isInternalHost } from '../domain/internal-address.ts';

/**
 * Decides to which addresses a registry may send manifix. A registry on the internet could otherwise have manifix read what only
 * this machine or its network can: a cloud's metadata, an administration page (server-side request forgery).
 */
export interface AddressCheck {
  /** Whether this host of a URL may be asked at all; names are checked again when they are resolved. */
  allowsHost(hostname: string): boolean;
  /** Resolves names for connections, so that what is checked is what is dialled: a name can mean another address a moment later. */
  readonly lookup: LookupFunction;
}

type Resolve = (
  hostname: string,
  options: { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * @param own the registry's own host as in its URL: whatever address it has is right
 * @param allowed further hosts that may be internal
 */
export function createAddressCheck(own: string, allowed: readonly string[], resolve: Resolve = lookup): AddressCheck {
  const free = new Set([own, ...allowed]);
  // A registry of this network may lead anywhere in it.
  let isInternal = isInternalHost(own);
  return {
    allowsHost: (hostname) => isInternal || free.has(hostname) || !isInternalHost(hostname),
    lookup(hostname, options, done) {
      resolve(hostname, { ...options, all: true }, (error, addresses) => {
        if (error !== null) return done(error, []);
        const internal = addresses.find(({ address }) => isInternalAddress(address));
        if (internal !== undefined && hostname === own) isInternal = true;
        if (internal !== undefined && !isInternal && !free.has(hostname)) return done(notAllowed(internal.address), []);
        if (options.all === true) return done(null, addresses);
        const [first] = addresses;
        return done(null, first?.address ?? '', first?.family);
      });
    },
  };
}

function notAllowed(address: string): Error {
  return Object.assign(new Error(`resolves to the internal address ${address}`), { code: 'INTERNAL_ADDRESS' });
}

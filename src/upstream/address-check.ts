import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isInternalAddress, isInternalHost } from '../domain/internal-address.ts';
import { codedError } from '../domain/unavailable.ts';
import { singleFlight } from '../lib/single-flight.ts';

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
  const running = singleFlight<LookupAddress[]>();

  /**
   * Each look-up holds one of the few threads that Node has for them, for as long as a name server keeps silent: a name must
   * not take more than one, or those of other registries wait.
   */
  function addressesOf(hostname: string, options: LookupOptions): Promise<LookupAddress[]> {
    return running(JSON.stringify([hostname, options.family, options.hints]), async () => {
      const { promise, resolve: found, reject } = Promise.withResolvers<LookupAddress[]>();
      resolve(hostname, { ...options, all: true }, (error, addresses) => (error ? reject(error) : found(addresses)));
      const addresses = await promise;
      if (hostname === own && addresses.some(isInternalOne)) isInternal = true;
      return addresses;
    });
  }

  /** @throws for an internal address to which the registry may not lead */
  async function allowedOf(hostname: string, options: LookupOptions): Promise<LookupAddress[]> {
    const addresses = await addressesOf(hostname, options);
    const internal = free.has(hostname) || isInternal ? undefined : addresses.find(isInternalOne);
    if (internal === undefined) return addresses;
    // After a reload an upload may go on elsewhere before the registry itself was asked.
    await addressesOf(own, options).catch(() => undefined);
    if (isInternal) return addresses;
    throw notAllowed(`resolves to the internal address ${internal.address}`);
  }

  return {
    allowsHost: (hostname) => isInternal || free.has(hostname) || !isInternalHost(hostname),
    lookup(hostname, options, done) {
      allowedOf(hostname, options).then(
        (addresses) => {
          if (options.all === true) return done(null, addresses);
          const [first] = addresses;
          return done(null, first?.address ?? '', first?.family);
        },
        (error) => done(error, []),
      );
    },
  };
}

function isInternalOne({ address }: LookupAddress): boolean {
  return isInternalAddress(address);
}

/** The error for a host to which the registry may not lead. */
export function notAllowed(why: string): Error {
  return codedError('INTERNAL_ADDRESS', why);
}

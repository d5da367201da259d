import { RegistryError } from '../domain/errors.ts';
import { type HeaderList, headerValues, withHeader } from '../domain/headers.ts';

/** How a manifix names itself: by the part of its request ids that is its own. */
const NAME = /\bmanifix-[\w-]{1,40}/g;

/**
 * The fields of a request with this manifix in Via (RFC 9110, section 7.6.3), behind those that it came through. What other
 * proxies wrote there is left out: it is nothing to a registry, and must not shape what the cache keeps for all.
 * @param instance what is the same in all request ids of this process, and in those of no other
 * @throws RegistryError 508 when the request came through here before
 */
export function withVia(headers: HeaderList, instance: string): HeaderList {
  const own = `manifix-${instance}`;
  const before = headerValues(headers, 'Via').flatMap((value) => value.match(NAME) ?? []);
  if (before.includes(own)) throw comesBack();
  return withHeader(headers, 'Via', [...before, own].map((name) => `1.1 ${name}`).join(', '));
}

function comesBack(): RegistryError {
  return new RegistryError('UNAVAILABLE', {
    status: 508,
    message: 'the request came back to manifix',
    explanation:
      'The URL of an upstream leads back to this manifix, directly or by way of another proxy. The operator has to give that upstream the address of the registry itself.',
  });
}

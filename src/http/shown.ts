import type { IncomingMessage } from 'node:http';
import type { Shown } from '../domain/authentication.ts';
import { type HeaderList, headerValues } from '../domain/headers.ts';
import { clientAddress, type TrustCheck } from './client.ts';
import { certificateOf } from './client-certificate.ts';

/** What a request shows of who sends it. */
export function shownBy(incoming: IncomingMessage, headers: HeaderList, trusts: TrustCheck): Shown {
  // Several would be read by each server in its own way.
  const [authorization, ...others] = headerValues(headers, 'Authorization');
  const certificate = certificateOf(incoming);
  return {
    address: clientAddress(incoming, headers, trusts),
    ...(authorization === undefined ? {} : { authorization: others.length === 0 ? authorization : '' }),
    ...(certificate && { certificate }),
  };
}

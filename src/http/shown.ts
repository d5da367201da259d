import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { ClientCertificate, Shown } from '../domain/authentication.ts';
import { type HeaderList, headerValues } from '../domain/headers.ts';
import { clientAddress, type TrustCheck } from './client.ts';

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

/** The certificate of the client's connection, when one of our authorities vouches for it and it has not ended. */
export function certificateOf({ socket }: IncomingMessage): ClientCertificate | undefined {
  // `authorized` exists on TLS sockets only.
  const connection = socket as TLSSocket;
  const certificate = connection.authorized === true ? readCertificate(connection) : undefined;
  return certificate !== undefined && Date.now() < certificate.until ? certificate : undefined;
}

function readCertificate(connection: TLSSocket): ClientCertificate | undefined {
  // Without a certificate it is null or an empty object; a subject may have several common names, or none.
  const { subject, valid_to: end } = connection.getPeerCertificate() ?? {};
  const name: unknown = subject?.CN;
  const until = Date.parse(end ?? '');
  return typeof name === 'string' && name !== '' && !Number.isNaN(until) ? { name, until } : undefined;
}

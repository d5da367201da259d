import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { ClientCertificate } from '../domain/authentication.ts';

const CERTIFICATE = Symbol('client certificate');

interface NotedCertificate extends ClientCertificate {
  readonly fingerprint: string;
}

/** A connection; what was noted of its client stays with it. */
interface NotedSocket extends Duplex {
  [CERTIFICATE]?: NotedCertificate | undefined;
}

/** Notes, after the handshake, whose certificate one of our authorities vouches for: reading it takes too long for each request. */
export function noteCertificate(socket: TLSSocket): void {
  if (!socket.authorized) return;
  // Without a certificate it is null or an empty object; a subject may have several common names, or none.
  const { subject, valid_to: end, fingerprint256: fingerprint } = socket.getPeerCertificate() ?? {};
  const name: unknown = subject?.CN;
  const until = Date.parse(end ?? '');
  if (typeof name !== 'string' || name === '' || Number.isNaN(until)) return;
  (socket as NotedSocket)[CERTIFICATE] = { name, until, fingerprint };
}

/** Whoever has vouched does so no more, perhaps. A new connection shows it. */
export function forgetCertificate(socket: Duplex): void {
  (socket as NotedSocket)[CERTIFICATE] = undefined;
}

/** The certificate of the client's connection, if it has one that has not ended. */
export function certificateOf({ socket }: Pick<IncomingMessage, 'socket'>): ClientCertificate | undefined {
  const noted = (socket as NotedSocket)[CERTIFICATE];
  return noted !== undefined && Date.now() < noted.until ? { name: noted.name, until: noted.until } : undefined;
}

/** Tells connections of different certificates apart; empty for those without. */
export function certificateMark({ socket }: Pick<IncomingMessage, 'socket'>): string {
  return (socket as NotedSocket)[CERTIFICATE]?.fingerprint ?? '';
}

import { once } from 'node:events';
import { Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type CertificateWatch, haveSameAuthorities, watchCertificate } from './http/certificate-watch.ts';
import type { EdgeServer } from './http/connections.ts';
import { replaceTls } from './http/server.ts';
import type { HostPort } from './lib/address.ts';
import type { ServerTls, ServerTlsFiles } from './lib/certificate.ts';
import { systemClock } from './lib/clock.ts';
import type { Log } from './lib/logger.ts';

/** Starts to listen. Rejects when something is in the way. */
export async function listen(server: EdgeServer, { host, port }: HostPort): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening');
}

/** Where it listens in fact: port 0 takes any. */
export function addressOf(server: EdgeServer, wanted: HostPort): HostPort {
  // A listening TCP server has an AddressInfo; strings are for pipes.
  return { host: wanted.host, port: (server.address() as AddressInfo).port };
}

const SWEEP_INTERVAL = 50;

/** Ends when the last request is answered, or after the drain time by cutting what is left. */
export async function drain(server: EdgeServer, drainTimeout: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  // A connection that is kept alive after its last answer would hold the end up until somebody closes it.
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_INTERVAL);
  const cut = setTimeout(() => server.closeAllConnections(), drainTimeout);
  await closed;
  clearInterval(sweep);
  clearTimeout(cut);
}

/**
 * Takes new certificates into use as they appear in their files; open connections keep the one they began with.
 * @param onOtherAuthorities is called when others vouch for clients than before
 */
export function followCertificate(
  server: EdgeServer,
  files: ServerTlsFiles | undefined,
  served: ServerTls | undefined,
  log: Log,
  onOtherAuthorities: () => void,
): CertificateWatch | undefined {
  if (files === undefined || served === undefined || !(server instanceof SecureServer)) return undefined;
  let current = served;
  return watchCertificate({
    clock: systemClock,
    files,
    served,
    use(tls) {
      const isOther = !haveSameAuthorities(tls, current);
      current = tls;
      replaceTls(server, tls);
      if (isOther) onOtherAuthorities();
    },
    log,
  });
}

import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { authoritiesMistake, certificateMistake, type ServerTls, type ServerTlsFiles } from '../lib/certificate.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/logger.ts';
import { describeSystemError } from '../lib/system-error.ts';

export interface CertificateWatchOptions {
  readonly clock: Clock;
  readonly files: ServerTlsFiles;
  /** What is served already. */
  readonly served: ServerTls;
  readonly use: (tls: ServerTls) => void;
  readonly log: Log;
}

/** Serves what is in the files of a certificate, and the last good one while that is broken. */
export interface CertificateWatch {
  /** Looks at once, perhaps into other files. */
  reload(files: ServerTlsFiles): Promise<void>;
  stop(): void;
}

/** Reading two small files costs nothing, and works where notifications do not: network file systems, swapped symbolic links. */
const INTERVAL = 5_000;

/** @throws Error with a sentence that names the file */
export async function readCertificate(files: ServerTlsFiles): Promise<ServerTls> {
  const { clientAuthorities: authorities } = files;
  const [cert, key] = await Promise.all([readNamed(files.cert), readNamed(files.key)]);
  const mistake = certificateMistake({ cert, key });
  if (mistake !== undefined) throw new Error(`${files[mistake.file]} ${mistake.problem}`);
  if (authorities === undefined) return { cert, key };
  const ca = await readNamed(authorities);
  const problem = authoritiesMistake(ca);
  if (problem !== undefined) throw new Error(`${authorities} ${problem}`);
  return { cert, key, ca };
}

/** Whether the same authorities vouch for clients. */
export function haveSameAuthorities({ ca: one }: ServerTls, { ca: other }: ServerTls): boolean {
  return one === undefined || other === undefined ? one === other : one.equals(other);
}

export function watchCertificate({ clock, files, served, use, log }: CertificateWatchOptions): CertificateWatch {
  let watched = files;
  let current = served;
  let complaint: string | undefined;
  let stopped = false;
  let cancel = clock.after(INTERVAL, again);

  function again(): void {
    void look().then(() => {
      if (!stopped) cancel = clock.after(INTERVAL, again);
    });
  }

  async function look(): Promise<void> {
    try {
      const found = await readCertificate(watched);
      complaint = undefined;
      const isSame = found.cert.equals(current.cert) && found.key.equals(current.key);
      if (isSame && haveSameAuthorities(found, current)) return;
      current = found;
      use(found);
      log('info', 'the TLS certificate was replaced', { validTo: new X509Certificate(found.cert).validTo });
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (problem === complaint) return;
      complaint = problem;
      log('warn', 'the TLS certificate cannot be replaced; the old one stays in use', { problem });
    }
  }

  return {
    async reload(next) {
      watched = next;
      await look();
    },
    stop() {
      stopped = true;
      cancel();
    },
  };
}

async function readNamed(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new Error(`${file} cannot be read: ${describeSystemError(error)}`, { cause: error });
  }
}

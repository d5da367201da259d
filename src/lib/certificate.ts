import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

/** A certificate with its chain and its private key, in PEM. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** The files of a certificate. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** The files of a server's certificate. */
export interface ServerTlsFiles extends CertificateFiles {
  /** Of authorities that vouch for clients, in PEM. */
  readonly clientAuthorities?: string;
}

/** What a server works with, in PEM. */
export interface ServerTls extends Certificate {
  /** Authorities that vouch for clients. */
  readonly ca?: Buffer;
}

/** What proves who is who on connections to a server, in PEM. */
export interface TlsIdentities {
  /** Authorities that vouch for servers, besides those that Node knows. */
  readonly ca?: Buffer;
  /** What manifix shows of itself. */
  readonly client?: Certificate;
}

/** What is wrong with a file of authorities' certificates; undefined when it can be used. */
export function authoritiesMistake(ca: Buffer): string | undefined {
  const blocks = ca.toString('latin1').match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) return 'holds no certificate in PEM';
  const areGood = blocks.every((block) => attempt(() => new X509Certificate(block)) !== undefined);
  return areGood ? undefined : 'holds a certificate that cannot be used';
}

/** What is wrong with a certificate and in which of its files; undefined when it can be served. */
export function certificateMistake({ cert, key }: Certificate): { file: 'cert' | 'key'; problem: string } | undefined {
  const leaf = attempt(() => new X509Certificate(cert));
  if (leaf === undefined) return { file: 'cert', problem: 'holds no certificate in PEM' };
  const secret = attempt(() => createPrivateKey(key));
  if (secret === undefined)
    return { file: 'key', problem: 'holds no private key in PEM, or one that needs a passphrase' };
  if (!leaf.checkPrivateKey(secret)) return { file: 'key', problem: 'is not the key of the certificate' };
  // What is in the chain, and whether the key is strong enough, OpenSSL knows.
  const context = attempt(() => createSecureContext({ cert, key }));
  return context === undefined ? { file: 'cert', problem: 'holds a certificate that cannot be used' } : undefined;
}

function attempt<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

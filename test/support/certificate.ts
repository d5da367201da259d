import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** A certificate with its private key. */
export interface Certificate {
  /** PEM */
  readonly certificate: string;
  /** PEM */
  readonly key: string;
  readonly name: string;
  readonly privateKey: KeyObject;
}

interface CertificateOptions {
  readonly name: string;
  /** DNS names and IPv4 addresses that it is valid for. */
  readonly hosts?: readonly string[];
  /** Who signs it; by default it signs itself and may sign others. */
  readonly issuer?: Certificate;
}

/** Makes an X.509 certificate (RFC 5280) with a new P-256 key, valid from 2000 to 2049. */
export function makeCertificate({ name, hosts = [], issuer }: CertificateOptions): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(oid('2a8648ce3d040302'));
  const toBeSigned = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    nameOf(issuer?.name ?? name),
    sequence(time('20000101000000Z'), time('20491231235959Z')),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions(hosts, issuer === undefined))),
  );
  const signature = sign('sha256', toBeSigned, issuer?.privateKey ?? privateKey);
  const certificate = pem(sequence(toBeSigned, algorithm, tagged(0x03, Buffer.from([0]), signature)));
  return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), name, privateKey };
}

/** The DER form of a certificate's public key, from which docker-registry makes key ids. */
export function publicKeyOf({ privateKey }: Certificate): Buffer {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
}

function extensions(hosts: readonly string[], isAuthority: boolean): readonly Buffer[] {
  const constraints = extension('551d13', sequence(...(isAuthority ? [Buffer.from([1, 1, 0xff])] : [])));
  const names = hosts.map((host) =>
    isIPv4(host) ? tagged(0x87, Buffer.from(host.split('.').map(Number))) : tagged(0x82, Buffer.from(host)),
  );
  return names.length === 0 ? [constraints] : [constraints, extension('551d11', sequence(...names))];
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), tagged(0x04, value));
}

function nameOf(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(oid('550403'), tagged(0x0c, Buffer.from(commonName)))));
}

function time(generalized: string): Buffer {
  return tagged(0x18, Buffer.from(generalized));
}

function oid(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'));
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, ...parts);
}

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length: size } = content;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

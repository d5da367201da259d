import { readFileSync } from 'node:fs';
import { authoritiesMistake, type Certificate, certificateMistake, type TlsIdentities } from '../lib/certificate.ts';
import { describeSystemError } from '../lib/system-error.ts';
import type { Mistake } from './mistakes.ts';
import { formatPath, type Path } from './schema-keys.ts';
import { valueAt, type WrittenMap } from './written.ts';

interface CertificatePlaces {
  readonly cert?: unknown;
  readonly key?: unknown;
}

/** What is in a file, or what is wrong with it. */
export type Outcome<Value> = { readonly value: Value | undefined } | { readonly mistakes: readonly Mistake[] };

/** What is wrong with the certificate to listen with: half of it, a file that cannot be read, or what is in the files. */
export function certificateMistakes(written: WrittenMap): readonly Mistake[] {
  const places = { cert: valueAt(written, ['tls', 'cert']), key: valueAt(written, ['tls', 'key']) };
  const outcomes = [readCertificate(places, ['tls']), readClientAuthorities(written)];
  return outcomes.flatMap((outcome) => ('mistakes' in outcome ? outcome.mistakes : []));
}

function readClientAuthorities(written: WrittenMap): Outcome<Buffer> {
  const path = ['tls', 'clientAuthorities'];
  const file = valueAt(written, path);
  if (typeof file !== 'string' || file === '') return { value: undefined };
  if (valueAt(written, ['tls', 'cert']) !== undefined) return readAuthorities(file, path);
  return {
    mistakes: [{ path, message: 'needs tls.cert and tls.key: certificates are shown on TLS connections only' }],
  };
}

/** What is in the files for connections to each upstream, or what is wrong with them. */
export function readIdentities(
  upstreams: Readonly<Record<string, { readonly tls: CertificatePlaces & { readonly ca?: string | undefined } }>>,
): { readonly read: ReadonlyMap<string, TlsIdentities> } | { readonly mistakes: readonly Mistake[] } {
  const read = new Map<string, TlsIdentities>();
  const mistakes: Mistake[] = [];
  for (const [name, { tls }] of Object.entries(upstreams)) {
    const path = ['upstreams', name, 'tls'];
    const ca = readAuthorities(tls.ca, [...path, 'ca']);
    const client = readCertificate(tls, path);
    mistakes.push(...[ca, client].flatMap((outcome) => ('mistakes' in outcome ? outcome.mistakes : [])));
    if ('mistakes' in ca || 'mistakes' in client || (ca.value ?? client.value) === undefined) continue;
    read.set(name, { ...(ca.value && { ca: ca.value }), ...(client.value && { client: client.value }) });
  }
  return mistakes.length > 0 ? { mistakes } : { read };
}

export function readAuthorities(file: string | undefined, path: Path): Outcome<Buffer> {
  if (file === undefined) return { value: undefined };
  const ca = fileAt(path, file);
  if (!('bytes' in ca)) return { mistakes: [ca] };
  const problem = authoritiesMistake(ca.bytes);
  return problem === undefined ? { value: ca.bytes } : { mistakes: [{ path, message: `the file ${problem}` }] };
}

function readCertificate({ cert, key }: CertificatePlaces, path: Path): Outcome<Certificate> {
  const [certPath, keyPath] = [
    [...path, 'cert'],
    [...path, 'key'],
  ];
  if (cert === undefined && key === undefined) return { value: undefined };
  if (cert === undefined) return { mistakes: [{ path: certPath, message: `required beside ${formatPath(keyPath)}` }] };
  if (key === undefined) return { mistakes: [{ path: keyPath, message: `required beside ${formatPath(certPath)}` }] };
  const [certificate, secret] = [fileAt(certPath, cert), fileAt(keyPath, key)];
  const unread = [certificate, secret].filter((outcome) => 'message' in outcome);
  if (!('bytes' in certificate) || !('bytes' in secret)) return { mistakes: unread };
  const value = { cert: certificate.bytes, key: secret.bytes };
  const mistake = certificateMistake(value);
  if (mistake === undefined) return { value };
  return { mistakes: [{ path: [...path, mistake.file], message: `the file ${mistake.problem}` }] };
}

function fileAt(path: Path, file: unknown): { readonly bytes: Buffer } | Mistake {
  try {
    return { bytes: readFileSync(String(file)) };
  } catch (error) {
    return { path, message: `${file} cannot be read: ${describeSystemError(error)}` };
  }
}

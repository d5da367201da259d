import { readFileSync } from 'node:fs';
import { certificateMistake } from '../lib/certificate.ts';
import { describeSystemError } from '../lib/system-error.ts';
import type { Mistake } from './mistakes.ts';
import { valueAt, type WrittenMap } from './written.ts';

/** What is wrong with the certificate to listen with: half of it, a file that cannot be read, or what is in the files. */
export function certificateMistakes(written: WrittenMap): readonly Mistake[] {
  const cert = valueAt(written, ['tls', 'cert']);
  const key = valueAt(written, ['tls', 'key']);
  if (cert === undefined && key === undefined) return [];
  if (cert === undefined) return [{ path: ['tls', 'cert'], message: 'required beside tls.key' }];
  if (key === undefined) return [{ path: ['tls', 'key'], message: 'required beside tls.cert' }];
  const [certificate, secret] = [fileAt('cert', cert), fileAt('key', key)];
  const unread = [certificate, secret].filter((outcome) => 'message' in outcome);
  if (!('bytes' in certificate) || !('bytes' in secret)) return unread;
  const mistake = certificateMistake({ cert: certificate.bytes, key: secret.bytes });
  return mistake === undefined ? [] : [{ path: ['tls', mistake.file], message: `the file ${mistake.problem}` }];
}

function fileAt(name: 'cert' | 'key', file: unknown): { readonly bytes: Buffer } | Mistake {
  const path = ['tls', name];
  try {
    return { bytes: readFileSync(String(file)) };
  } catch (error) {
    return { path, message: `${file} cannot be read: ${describeSystemError(error)}` };
  }
}

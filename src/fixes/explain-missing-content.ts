import { describeRole } from '../domain/descriptor.ts';
import { type Digest, parseDigest } from '../domain/digest.ts';
import type { OciError } from '../domain/errors.ts';
import type { RequestView } from './fix.ts';

const CODES: ReadonlySet<string> = new Set(['MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN']);
/** A long list helps nobody. */
const NAMED = 5;

/** Which parts of a pushed manifest the repository lacks; undefined for other errors. */
export function explainMissingContent(
  { route, manifest }: RequestView,
  errors: readonly OciError[],
): string | undefined {
  if (route.kind !== 'manifest' || !errors.some(({ code }) => CODES.has(code))) return undefined;
  const missing = missingContent(errors);
  const parts = missing.map((digest) => {
    const descriptor = manifest?.inspection.descriptors.find((candidate) => candidate.digest === digest);
    return descriptor === undefined ? digest : `${describeRole(descriptor)} (${digest})`;
  });
  const named = parts.slice(0, NAMED).join(', ');
  const more = parts.length > NAMED ? ` and ${parts.length - NAMED} more` : '';
  const what = named === '' ? 'something' : `${named}${more}`;
  return [
    `The manifest names ${what}, which the repository ${route.repository} does not have.`,
    'Push every blob and every child manifest to this repository first, the manifest last:',
    'content of another repository does not count, and an upload is stored only when it was answered with 201.',
  ].join(' ');
}

/** The digests that a registry misses for a manifest, as far as it names them. */
export function missingContent(errors: readonly OciError[]): readonly Digest[] {
  return errors.filter(({ code }) => CODES.has(code)).flatMap(({ detail }) => digestIn(detail) ?? []);
}

/** docker-registry sends the digest alone, the specification has it in an object. */
function digestIn(detail: unknown): Digest | undefined {
  const inside = typeof detail === 'object' && detail !== null && 'digest' in detail ? detail.digest : detail;
  return typeof inside === 'string' ? parseDigest(inside) : undefined;
}

import { Readable } from 'node:stream';
import { algorithmOf, type Digest, digestOf } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import { contentCoding, type HeaderList, withoutHeaders } from '../domain/headers.ts';
import { inspectManifest, type ManifestInspection } from '../domain/manifest.ts';
import type { Reference } from '../domain/reference.ts';
import { schema1PayloadDigest } from '../domain/schema1.ts';
import { decodeBody } from '../lib/content-encoding.ts';
import { endToEndHeaders } from '../lib/hop-by-hop.ts';
import { readUpTo } from '../lib/read-body.ts';
import type { Exchange } from './exchange.ts';
import type { CanonicalManifest, UpstreamResponse } from './ports.ts';
import { digestMismatch, verifiedStream } from './verified-stream.ts';

/** What is buffered and repaired; containerd, skopeo and docker-registry stop at 4 MiB, regclient at 8 MiB. */
export const MAX_MANIFEST = 8 * 1024 * 1024;

export type FetchedManifest =
  | {
      readonly kind: 'manifest';
      readonly manifest: CanonicalManifest;
      readonly inspection: ManifestInspection;
      /** False for what may not be kept: schema 1 (signed anew for every request) and what is no manifest at all. */
      readonly cacheable: boolean;
      /** The content coding that was undone. */
      readonly decoded?: string;
    }
  /** Too big to be repaired: it goes to the client as it comes. */
  | { readonly kind: 'stream'; readonly headers: HeaderList; readonly stream: Readable };

/**
 * Reads a manifest that the registry answered with 200. Rejects with a RegistryError when the bytes do not have the
 * digest that was asked for, or when the document can be read as two kinds of manifest (CVE-2021-41190).
 */
export async function readManifest(
  exchange: Exchange,
  reference: Reference,
  response: UpstreamResponse,
): Promise<FetchedManifest> {
  const body = await readUpTo(response.body, MAX_MANIFEST);
  const headers = endToEndHeaders(response.headers);
  if (!(body instanceof Uint8Array)) {
    const stream = reference.kind === 'digest' ? verifiedStream(body, reference.digest) : body;
    return { kind: 'stream', headers, stream };
  }
  const plain = undoCoding(exchange, reference, body, contentCoding(response.headers));
  // With the repair switched off, what nobody can read goes on as it is.
  if (plain === undefined) return { kind: 'stream', headers, stream: Readable.from([body], { objectMode: false }) };
  const { bytes, decoded } = plain;
  const inspection = inspectManifest(bytes);
  if (inspection.shape === 'ambiguous') throw ambiguousManifest(502);
  const digest = digestOfManifest(bytes, inspection, reference);
  if (reference.kind === 'digest' && digest !== reference.digest) throw digestMismatch(reference.digest, digest);
  const kept = keptHeaders(decoded === undefined ? headers : withoutHeaders(headers, 'Content-Length'));
  return {
    kind: 'manifest',
    manifest: { digest, bytes, headers: kept },
    inspection,
    cacheable: isCacheable(inspection),
    ...(decoded === undefined ? {} : { decoded }),
  };
}

/** A document that has `manifests` and also `config`, `layers` or `fsLayers` means different things to different clients. */
export function ambiguousManifest(status: 400 | 502): RegistryError {
  return new RegistryError('MANIFEST_INVALID', {
    status,
    message: 'the document is an image index and an image manifest at once',
    explanation:
      'It has "manifests" and also "config", "layers" or "fsLayers", so clients would not agree on what it is. ' +
      'Build and push the image again with a tool that writes one kind of manifest.',
    fix: 'type-confusion',
  });
}

function undoCoding(
  exchange: Exchange,
  reference: Reference,
  body: Uint8Array,
  coding: string | undefined,
): { bytes: Uint8Array; decoded?: string } | undefined {
  if (coding === undefined) return { bytes: body };
  // Some servers label bytes as compressed that are not: what has the digest is right.
  if (reference.kind === 'digest' && digestOf(body, algorithmOf(reference.digest)) === reference.digest) {
    return { bytes: body, decoded: coding };
  }
  if (exchange.endpoint.fixes.mode('gzip-content-encoding') !== 'on') {
    return reference.kind === 'digest' ? { bytes: body } : undefined;
  }
  const bytes = decodeBody(body, coding, MAX_MANIFEST);
  if (bytes instanceof Uint8Array) return { bytes, decoded: coding };
  if (bytes === 'malformed' && inspectManifest(body).shape !== 'not-json') return { bytes: body, decoded: coding };
  throw new RegistryError('UNKNOWN', {
    status: 502,
    message: `the registry compressed a manifest in a way that cannot be undone (${bytes})`,
    explanation: `The answer said "Content-Encoding: ${coding}" although no compression was asked for, and its body is ${bytes}.`,
    fix: 'gzip-content-encoding',
  });
}

function digestOfManifest(bytes: Uint8Array, inspection: ManifestInspection, reference: Reference): Digest {
  if (inspection.shape === 'schema1') {
    const payload = schema1PayloadDigest(bytes);
    if (payload !== undefined) return payload;
  }
  return digestOf(bytes, reference.kind === 'digest' ? algorithmOf(reference.digest) : 'sha256');
}

function isCacheable(inspection: ManifestInspection): boolean {
  if (inspection.shape === 'index' || inspection.shape === 'image') return true;
  return inspection.shape === 'unknown' && inspection.mediaType !== undefined;
}

const KEPT = new Set([
  'content-type',
  'content-length',
  'docker-content-digest',
  'docker-distribution-api-version',
  'etag',
  'vary',
  'cache-control',
  'last-modified',
  'warning',
  'x-content-type-options',
]);

/** The registry's fields that say something about the manifest and are the same for every caller. */
export function keptHeaders(headers: HeaderList): HeaderList {
  return headers.filter(([name]) => KEPT.has(name.toLowerCase()));
}

import { acceptedTypes } from '../domain/accept.ts';
import type { Digest } from '../domain/digest.ts';
import { readsOnlySchema1 } from '../domain/engines.ts';
import { type HeaderList, headerValue, headerValues, withHeader, withoutHeaders } from '../domain/headers.ts';
import { inspectManifest } from '../domain/manifest.ts';
import { DOCKER_MANIFEST, MANIFEST_TYPES } from '../domain/media-type.ts';
import { formatContentRange, ifRangeAllows, matchesEntityTag, parseRange } from '../domain/range.ts';
import type { ManifestView } from '../fixes/fix.ts';
import type { ManifestOutcome } from '../fixes/run.ts';
import { proveReadAccess } from './access.ts';
import { refuseDenied } from './denied-content.ts';
import { type Derived, derivedHeaders, deriveManifest } from './derive-manifest.ts';
import { type Answer, type Exchange, NO_BODY } from './exchange.ts';
import { ambiguousManifest } from './fetch-manifest.ts';
import { withFreshness } from './freshness.ts';
import { isGone } from './gone.ts';
import type { CanonicalManifest, Services } from './ports.ts';
import type { DerivedManifest } from './ports-facts.ts';
import { report } from './report.ts';
import type { ManifestRequest, ManifestToServe } from './resolve-manifest.ts';

type Reader = Pick<ManifestView, 'accepted' | 'schema1IsAll'>;

/** Runs the fixes over a manifest and answers with it, or, by tag, with what was derived from it or with one image of it. */
export async function serveManifest(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
  found: ManifestToServe,
): Promise<Answer> {
  if (request.holdBack !== undefined) {
    const { holdBack, ...plain } = request;
    return holdBack(found, (manifest) => serveManifest(services, exchange, plain, manifest));
  }
  refuseDenied(exchange, request, found.manifest.digest);
  services.uses.used(exchange.endpoint.name, 'manifest', found.manifest.digest);
  const outcome = prepared(services, exchange, request, found);
  const { derive } = outcome;
  const makes = derive !== undefined || outcome.convert !== undefined;
  if (!makes || outcome.refuse !== undefined) report(exchange, outcome.applied);
  if (outcome.refuse !== undefined) throw outcome.refuse;
  const cached = { cache: found.cache, stored: found.cache === 'miss' && found.stored };
  const image = outcome.select && (await request.serveImage?.(outcome.select));
  // An index may list images that nobody pushed; the client then gets what it would have got.
  if (image !== undefined && image.status !== 404) return answerWithImage(image);
  const asItIs = () => ({ ...manifestAnswer(exchange, request, outcome.headers, found.manifest), ...cached });
  const fix = derive?.fix ?? outcome.convert;
  if (fix === undefined) return asItIs();
  const derived = await derivedOf(services, exchange, request, found.manifest, outcome);
  if (derived.kind === 'declined') {
    const others = outcome.applied.filter((applied) => applied !== fix);
    report(exchange, [...others, { id: fix.id, mode: 'observe', note: derived.reason }]);
    return asItIs();
  }
  report(exchange, [fix]);
  refuseDenied(exchange, request, derived.manifest.digest);
  return { ...derivedAnswer(exchange, request, derived.manifest), ...cached };
}

/** What the fixes made of the bytes, or what a conversion makes of the image, the first time with all its layers. */
async function derivedOf(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
  manifest: CanonicalManifest,
  { derive }: ManifestOutcome,
): Promise<Derived> {
  const { digest } = manifest;
  if (derive !== undefined) {
    const { fix: _, ...made } = derive;
    return deriveManifest(services, exchange, request, digest, made);
  }
  const upstream = exchange.endpoint.upstream.name;
  const known = services.facts.derivedFrom(upstream, request.repository, digest, 'converted');
  if (known !== undefined) return { kind: 'derived', manifest: known };
  const conversion = await request.convertImage?.(exchange, request.repository, manifest);
  if (conversion?.kind !== 'converted') return { kind: 'declined', reason: conversion?.reason ?? 'left alone' };
  const { manifest: bytes, mediaType, config } = conversion.image;
  const made = { bytes, mediaType, config, force: false, kind: 'converted' } as const;
  return deriveManifest(services, exchange, request, digest, made);
}

/** An image that stands for a tag: its own bytes and digest, kept no longer than a tag. */
function answerWithImage(answer: Answer): Answer {
  return answer.status < 400 ? { ...answer, headers: withFreshness(answer.headers, 'tag') } : answer;
}

/**
 * Answers a request for a derived digest. It needs the same right as its original, which the registry is asked about;
 * when the original is gone, so is what was derived from it. Undefined for a caller without the right: then the registry has
 * the word, as for any digest that manifix does not know.
 */
export async function serveDerived(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
  derived: DerivedManifest,
): Promise<Answer | undefined> {
  const { repository, sent } = request;
  const access = await proveReadAccess(services, exchange, repository, 'manifest', derived.original, sent.headers);
  if (access.outcome === 'unreachable') throw access.error;
  if (access.outcome === 'refused') {
    if (await isGone(exchange, request, access.status)) {
      services.facts.dropDerived(exchange.endpoint.upstream.name, repository, derived.original);
    }
    return undefined;
  }
  refuseDenied(exchange, request, derived.original);
  return { ...derivedAnswer(exchange, request, derived), cache: 'hit' };
}

function derivedAnswer(exchange: Exchange, request: ManifestRequest, derived: DerivedManifest): Answer {
  return manifestAnswer(exchange, request, derivedHeaders(derived, request.reference.kind), derived);
}

/** Outcomes that are kept for one manifest, which may have any number of tags. */
const MAX_PREPARED = 64;

/** Fixes are pure, so that their outcome for one stored manifest is computed once for each kind of request. */
function prepared(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
  found: ManifestToServe,
): ManifestOutcome {
  const { method } = exchange.request;
  const { reference } = request;
  if (found.headHeaders !== undefined && method === 'HEAD') return prepare(services, exchange, request, found);
  const memo = exchange.endpoint.prepared.get(found.manifest) ?? new Map<string, ManifestOutcome>();
  const tag = reference.kind === 'tag' ? reference.tag : '';
  const reader = readerOf(exchange, request);
  const key = `${method} ${tag} ${reader.accepted} ${reader.schema1IsAll}`;
  const outcome = memo.get(key) ?? prepare(services, exchange, request, found);
  if (memo.size >= MAX_PREPARED) memo.clear();
  memo.set(key, outcome);
  exchange.endpoint.prepared.set(found.manifest, memo);
  return outcome;
}

/** What decides, by tag, which form of a manifest a client can read. */
function readerOf({ request }: Exchange, { reference, sent }: ManifestRequest): Reader {
  if (reference.kind === 'digest') return { accepted: [], schema1IsAll: false };
  const named = acceptedTypes(request.clientHeaders);
  const asked = acceptedTypes(sent.headers);
  const old = readsOnlySchema1(headerValue(request.clientHeaders, 'User-Agent'));
  return {
    accepted: MANIFEST_TYPES.filter((type) => named.includes(type)),
    schema1IsAll: asked.includes(DOCKER_MANIFEST) && !old,
  };
}

function prepare(
  services: Services,
  exchange: Exchange,
  request: ManifestRequest,
  found: ManifestToServe,
): ManifestOutcome {
  const { bytes, digest, headers } = found.manifest;
  const inspection = inspectManifest(bytes);
  services.descriptors.note(exchange.endpoint.upstream.name, inspection.descriptors);
  if (inspection.shape === 'ambiguous') return { headers, refuse: ambiguousManifest(502), applied: [] };
  const outcome = exchange.endpoint.fixes.manifest({
    method: exchange.request.method,
    reference: request.reference,
    ...readerOf(exchange, request),
    bytes,
    digest,
    inspection,
    headers: (exchange.request.method === 'HEAD' ? found.headHeaders : undefined) ?? headers,
  });
  return { ...outcome, headers: withFreshness(outcome.headers, request.reference.kind) };
}

/** The whole of it, a part of it by digest, or 304 when the client has it. */
function manifestAnswer(
  exchange: Exchange,
  request: ManifestRequest,
  headers: HeaderList,
  manifest: { readonly digest: Digest; readonly bytes: Uint8Array },
): Answer {
  const { bytes, digest } = manifest;
  const head = exchange.request.method === 'HEAD';
  if (matchesEntityTag(headerValues(exchange.request.headers, 'If-None-Match'), digest)) {
    return { status: 304, headers: withoutHeaders(headers, 'Content-Length', 'Content-Type'), body: NO_BODY };
  }
  if (head) return { status: 200, headers, body: NO_BODY };
  const rangeHeader = request.reference.kind === 'digest' ? headerValue(exchange.request.headers, 'Range') : undefined;
  const ranged = ifRangeAllows(headerValue(exchange.request.headers, 'If-Range'), digest);
  const range = ranged ? parseRange(rangeHeader, bytes.length) : undefined;
  if (range === 'unsatisfiable') {
    const unsatisfied = withHeader(
      withHeader(headers, 'Content-Length', '0'),
      'Content-Range',
      `bytes */${bytes.length}`,
    );
    return { status: 416, headers: unsatisfied, body: NO_BODY };
  }
  if (range === undefined) {
    return {
      status: 200,
      headers: withHeader(headers, 'Content-Length', String(bytes.length)),
      body: { kind: 'bytes', bytes },
    };
  }
  const part = bytes.subarray(range.start, range.end + 1);
  const partial = withHeader(
    withHeader(headers, 'Content-Length', String(part.length)),
    'Content-Range',
    formatContentRange(range, bytes.length),
  );
  return { status: 206, headers: partial, body: { kind: 'bytes', bytes: part } };
}

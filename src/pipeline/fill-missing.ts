import { Readable } from 'node:stream';
import type { Digest } from '../domain/digest.ts';
import { parseErrors } from '../domain/errors.ts';
import type { ManifestInspection } from '../domain/manifest.ts';
import type { RepositoryName } from '../domain/reference.ts';
import { missingContent } from '../fixes/explain-missing-content.ts';
import { proveReadAccess } from './access.ts';
import { denialOf } from './denied-content.ts';
import type { Exchange } from './exchange.ts';
import { fillBlob } from './fill-blob.ts';
import { fillManifest } from './fill-manifest.ts';
import type { Services, UpstreamResponse } from './ports.ts';
import type { LinkKind } from './ports-facts.ts';
import { readRefusal } from './relay.ts';
import { reportRepair } from './report.ts';

const FIX = 'manifest-blob-unknown';
/** A registry that names one missing part at a time is asked again so often. */
const MAX_ROUNDS = 50;

/** An answer as far as it is passed on. */
type PushAnswer = Pick<UpstreamResponse, 'status' | 'headers' | 'body'>;

/**
 * Pushes a manifest, and again once the repository has the parts that the registry missed: mounted from where the caller may
 * read them, or pushed from the cache. When one of them cannot be had, the registry's refusal stands.
 */
export async function withMissingParts(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  inspection: ManifestInspection,
  push: () => Promise<PushAnswer>,
): Promise<PushAnswer> {
  const mode = exchange.endpoint.fixes.mode(FIX);
  let answer = await push();
  if (mode === 'off') return answer;
  const filled = new Set<Digest>();
  for (let round = 0; isRefusal(answer.status) && round < MAX_ROUNDS; round += 1) {
    const refusal = await readRefusal(answer);
    const refused = { ...answer, body: Readable.from([Buffer.from(refusal.text)]) };
    const named = missingContent(parseErrors(Buffer.from(refusal.text)) ?? []);
    const missing = new Set(named).difference(filled);
    if (missing.size === 0) return refused;
    if (mode === 'observe') {
      reportRepair(exchange, FIX, `the repository lacks ${missing.size} parts of the manifest`);
      return refused;
    }
    for (const digest of missing) {
      if (!(await fill(services, exchange, repository, inspection, digest))) return refused;
      filled.add(digest);
    }
    answer = await push();
  }
  if (filled.size > 0) reportRepair(exchange, FIX, `filled in ${filled.size} parts that the repository lacked`);
  return answer;
}

/** docker-registry answers 400, others 404. */
function isRefusal(status: number): boolean {
  return status === 400 || status === 404;
}

async function fill(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  inspection: ManifestInspection,
  digest: Digest,
): Promise<boolean> {
  const part = inspection.descriptors.find((descriptor) => descriptor.digest === digest);
  // A subject need not exist, and what the manifest does not name is none of its parts.
  if (part === undefined || part.role === 'subject') return false;
  const kind: LinkKind = part.role === 'child' ? 'manifest' : 'blob';
  for (const from of services.facts.linkedIn(exchange.endpoint.upstream.name, kind, digest)) {
    if (from === repository || !exchange.may('pull', from)) continue;
    if (denialOf(exchange, from, { digests: [digest] }) !== undefined) continue;
    try {
      const access = await proveReadAccess(services, exchange, from, kind, digest);
      if (access.outcome === 'allowed' && (await bring(services, exchange, repository, from, kind, digest)))
        return true;
    } catch (error) {
      // What goes wrong here is no reason to withhold the registry's own answer.
      exchange.signal.throwIfAborted();
      services.telemetry.warn('a missing part of a manifest could not be filled in', { digest, err: error });
    }
  }
  return false;
}

function bring(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  from: RepositoryName,
  kind: LinkKind,
  digest: Digest,
): Promise<boolean> {
  return kind === 'blob'
    ? fillBlob(services, exchange, repository, from, digest)
    : fillManifest(services, exchange, repository, digest, (child, push) =>
        withMissingParts(services, exchange, repository, child, push),
      );
}

import { describeDerivation } from '../domain/derivation.ts';
import { type Digest, digestOf } from '../domain/digest.ts';
import { withHeader } from '../domain/headers.ts';
import { inspectManifest } from '../domain/manifest.ts';
import type { MediaType } from '../domain/media-type.ts';
import type { RepositoryName } from '../domain/reference.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { RequestView } from '../fixes/fix.ts';
import type { RequestOutcome } from '../fixes/run.ts';
import { recordAudit } from './audit.ts';
import type { Answer, Exchange } from './exchange.ts';
import type { Services } from './ports.ts';
import { report } from './report.ts';
import { warning } from './warning.ts';

/** A manifest that goes to the registry in another form than it was pushed in. */
export interface NormalisedPush {
  /** The digest of what was pushed, which the client keeps. */
  readonly pushed: Digest;
  /** That of what the registry gets. */
  readonly stored: Digest;
  /** It was pushed before, and stays whatever becomes of this push. */
  readonly known: boolean;
  readonly sent: RequestView & Required<Pick<RequestView, 'manifest'>>;
}

/**
 * Keeps what was pushed, so that its digest stays valid, before the registry gets the form that the fixes made of it.
 * Undefined when the push goes on as it is: no fix changes it, a signature covers its digest, or it could not be kept.
 */
export function keepAsPushed(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  bytes: Uint8Array,
  outcome: RequestOutcome,
): NormalisedPush | undefined {
  const { push, view } = outcome;
  if (push === undefined) return undefined;
  const upstream = exchange.endpoint.upstream.name;
  const pushed = digestOf(bytes);
  const stored = digestOf(push.bytes);
  const decline = (note: string) => report(exchange, [{ id: push.fix.id, mode: 'observe', note }]);
  if (services.facts.signed(upstream, repository, pushed) === true) {
    decline('left alone: signatures or referrers of the pushed digest exist');
    return undefined;
  }
  const kept = { digest: pushed, original: stored, bytes, mediaType: push.mediaType, kind: 'as-pushed' } as const;
  const known = services.facts.derived(upstream, repository, pushed) !== undefined;
  try {
    if (!known) {
      services.facts.putDerived(upstream, repository, kept);
      const detail = { kind: kept.kind, original: stored };
      recordAudit(services, exchange, { event: 'derived', outcome: 'done', repository, digest: pushed, detail });
    }
  } catch (error) {
    services.telemetry.warn('a pushed manifest could not be kept', { pushed, err: error });
    decline('left alone: the pushed manifest could not be kept');
    return undefined;
  }
  report(exchange, [push.fix]);
  return { pushed, stored, known, sent: viewOf(view, push.bytes, push.mediaType) };
}

function viewOf(view: RequestView, bytes: Uint8Array, mediaType: MediaType): NormalisedPush['sent'] {
  const headers = withHeader(
    withHeader(view.headers, 'Content-Type', mediaType),
    'Content-Length',
    String(bytes.length),
  );
  return { ...view, headers, manifest: { bytes, inspection: inspectManifest(bytes) } };
}

/**
 * Answers with the digest that the client computed itself, which containerd, oras and regclient insist on. What a registry
 * refused is forgotten.
 */
export function answerAsPushed(
  services: Services,
  exchange: Exchange,
  repository: RepositoryName,
  { pushed, stored, known }: NormalisedPush,
  answer: Answer,
): Answer {
  if (answer.status >= 300) {
    if (!known) services.facts.dropDerived(exchange.endpoint.upstream.name, repository, stored);
    return answer;
  }
  const reference = { kind: 'digest', digest: pushed } as const;
  const location = `${exchange.clientOrigin}${formatRoute({ kind: 'manifest', repository, reference })}`;
  const headers = withHeader(withHeader(answer.headers, 'Docker-Content-Digest', pushed), 'Location', location);
  return { ...answer, headers: [...headers, warning(describeDerivation('as-pushed', stored))] };
}

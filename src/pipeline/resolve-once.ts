import type { RegistryError } from '../domain/errors.ts';
import { isOutageError } from '../domain/outage.ts';
import { formatReference } from '../domain/reference.ts';
import type { SingleFlight } from '../lib/single-flight.ts';
import type { Exchange } from './exchange.ts';
import type { Refusal, Services } from './ports.ts';
import type { ManifestRequest, Resolved } from './resolve-manifest.ts';

export type Flight = SingleFlight<Resolved>;

/** What a question about a manifest came to, also when nobody answered it. */
export type Resolution =
  | (Resolved & { readonly remembered?: boolean })
  | { readonly kind: 'outage'; readonly error: RegistryError };

export interface ManifestQuestion {
  readonly request: ManifestRequest;
  /** What requests have to have in common to get the same answer, besides caller and reference. */
  readonly view: string;
  readonly headFirst: boolean;
}

/**
 * Runs `task` once for all who ask the same with the same credentials at the same time; that the registry does not have
 * something is remembered a little longer. Only a registry that cannot be reached leaves room for an older answer;
 * everything else rejects.
 */
export async function resolveOnce(
  services: Services,
  flight: Flight,
  exchange: Exchange,
  question: ManifestQuestion,
  task: () => Promise<Resolved>,
): Promise<Resolution> {
  const key = keyOf(services, exchange, question);
  // A HEAD is refused without the registry's words, for which a GET has to ask.
  const absence = `${exchange.request.method} ${key}`;
  const remembered = services.absences.get(absence);
  if (remembered !== undefined) return { kind: 'refused', refusal: remembered, remembered: true };
  try {
    const resolved = await joinFlight(flight, `${key} ${question.headFirst} ${question.request.hurried}`, task);
    if (resolved.kind === 'refused' && isShortAbsence(resolved.refusal)) {
      services.absences.put(absence, resolved.refusal, exchange.endpoint.freshness.notFoundTtl);
    }
    return resolved;
  } catch (error) {
    if (isOutageError(error)) return { kind: 'outage', error };
    throw error;
  }
}

/** Error bodies are short; whatever else comes with a 404 is not worth the memory. */
const MAX_REMEMBERED = 4_096;

function isShortAbsence({ status, text }: Refusal): boolean {
  return status === 404 && text.length <= MAX_REMEMBERED;
}

/** The name under which pushes to a repository are counted. */
export function changesName(upstream: string, repository: string): string {
  return `${upstream}\n${repository}`;
}

function keyOf(services: Services, { endpoint, caller }: Exchange, { request, view }: ManifestQuestion): string {
  const { repository, reference, sent } = request;
  const upstream = endpoint.upstream.name;
  // What was asked before a push is no answer to what is asked after it.
  const version = services.changes.of(changesName(upstream, repository));
  return JSON.stringify([upstream, repository, formatReference(reference), view, sent.query, caller.identity, version]);
}

async function joinFlight(flight: Flight, key: string, task: () => Promise<Resolved>): Promise<Resolved> {
  let leading = false;
  const resolved = await flight(key, () => {
    leading = true;
    return task();
  });
  // A stream can be read once only, by whoever asked for it.
  return resolved.kind === 'stream' && !leading ? task() : resolved;
}

import type { AuditEvent } from '../domain/audit.ts';
import { parseDigest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import { headerValue } from '../domain/headers.ts';
import { formatReference } from '../domain/reference.ts';
import type { Route } from '../domain/route.ts';
import type { Answer } from '../pipeline/exchange.ts';
import type { Passage } from './passage.ts';

/** An event as the edge knows it, but for the connection and the request that it belongs to. */
type EdgeEvent = Omit<AuditEvent, 'client' | 'requestId'>;

/**
 * What the audit log has to tell of a request: that it was denied, or that it pushed or deleted something or wanted to.
 * Uploads are no events: nobody can pull what no manifest names.
 */
export function eventOf(
  method: string,
  passage: Pick<Passage, 'endpoint' | 'target'> | undefined,
  { status, headers }: Pick<Answer, 'status' | 'headers'>,
  failure: unknown,
): EdgeEvent | undefined {
  if (failure instanceof RegistryError && failure.denied !== undefined) {
    const { action, ...who } = failure.denied;
    return { event: 'denied', outcome: 'refused', ...who, status, detail: { action } };
  }
  const changed = passage === undefined ? undefined : changeOf(method, passage.target.route);
  if (passage === undefined || changed === undefined) return undefined;
  const digest = parseDigest(headerValue(headers, 'Docker-Content-Digest') ?? '');
  return {
    ...changed,
    outcome: status < 300 ? 'done' : status < 500 ? 'refused' : 'failed',
    endpoint: passage.endpoint.name,
    upstream: passage.endpoint.upstream.name,
    ...(changed.event === 'push' && digest !== undefined ? { digest } : {}),
    status,
  };
}

function changeOf(method: string, route: Route): Pick<EdgeEvent, 'event' | 'repository' | 'reference'> | undefined {
  if (route.kind === 'manifest' && (method === 'PUT' || method === 'DELETE')) {
    const reference = formatReference(route.reference);
    return { event: method === 'PUT' ? 'push' : 'delete', repository: route.repository, reference };
  }
  if (route.kind === 'blob' && method === 'DELETE') {
    return { event: 'delete', repository: route.repository, reference: route.digest };
  }
  return undefined;
}

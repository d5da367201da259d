import type { AuditDetail, AuditEvent } from '../domain/audit.ts';
import type { Exchange } from './exchange.ts';
import type { Services } from './ports.ts';

/** What an event within an exchange adds to who asked, from where and through which endpoint. */
type ExchangeEvent = Pick<AuditEvent, 'event' | 'outcome' | 'repository' | 'reference' | 'digest'> & {
  readonly detail?: AuditDetail;
};

/** Records for the audit log what manifix did in an exchange besides what was asked. The edge records pushes, deletes and denials. */
export function recordAudit(
  { telemetry }: Pick<Services, 'telemetry'>,
  exchange: Exchange,
  event: ExchangeEvent,
): void {
  const { endpoint, address, id, principal } = exchange;
  telemetry.audit({
    ...event,
    user: principal.user,
    client: address,
    endpoint: endpoint.name,
    upstream: endpoint.upstream.name,
    requestId: id,
  });
}

import type { AuditEvent } from '../domain/audit.ts';
import { type PurgeSelection, purgeEvent } from '../domain/purge.ts';
import type { Maintenance } from './maintenance.ts';
import type { PurgeReport } from './purge.ts';

interface Purge {
  readonly selection: PurgeSelection;
  readonly dryRun: boolean;
  /** The address of whoever asks. */
  readonly client: string;
}

/** Purges, and has the audit log tell of it; a dry run is no event. Rejects as `purge` does. */
export async function auditedPurge(
  maintenance: Pick<Maintenance, 'purge'>,
  audit: (event: AuditEvent) => void,
  { selection, dryRun, client }: Purge,
): Promise<PurgeReport> {
  try {
    const report = await maintenance.purge(selection, dryRun);
    if (!dryRun) audit(purgeEvent(selection, client, report));
    return report;
  } catch (error) {
    if (!dryRun) audit(purgeEvent(selection, client));
    throw error;
  }
}

import type { ConfigFlags, ConfigResult } from '../config/load.ts';
import type { AuditEvent } from '../domain/audit.ts';
import type { HostPort } from '../lib/address.ts';
import { systemClock } from '../lib/clock.ts';
import { type AuditSettings, createAuditLog } from '../store/audit-log.ts';
import { openStore, type Store } from '../store/open-store.ts';

/** A cache directory, and what belongs to it. */
export interface CachePlace {
  readonly directory: string;
  readonly audit?: AuditSettings | undefined;
  /** Where a manifix that runs on it listens for operators. */
  readonly admin: HostPort | undefined;
}

/** The directory of a configuration, or the one that is named without any. */
export async function findPlace(
  { config, cacheDir }: Pick<ConfigFlags, 'config' | 'cacheDir'>,
  load: () => Promise<ConfigResult>,
): Promise<CachePlace | { readonly mistakes: readonly string[] }> {
  if (cacheDir !== undefined && config === undefined) return { directory: cacheDir, admin: undefined };
  const loaded = await load();
  if ('mistakes' in loaded) return loaded;
  const { cache, admin, audit } = loaded.config;
  return { directory: cache.dir, admin: admin?.listen, audit };
}

/** Opens the directory without a limit of its size, because nothing shall be evicted on the way. */
export async function withStore<T>(directory: string, action: (store: Store) => Promise<T>): Promise<T> {
  // The findings are in the report.
  const store = await openStore({ directory, maxSize: Number.POSITIVE_INFINITY, warn: () => undefined });
  try {
    return await action(store);
  } finally {
    await store.close();
  }
}

/** Does something of which the audit log is told, where there is one. Rejects when that cannot be opened: then nothing is done. */
export async function withAudit<T>(
  audit: AuditSettings | undefined,
  action: (record: (event: AuditEvent) => void) => Promise<T>,
): Promise<T> {
  const log = createAuditLog({ clock: systemClock, warn: (message) => process.stderr.write(`manifix: ${message}\n`) });
  await log.configure(audit);
  try {
    return await action(log.record);
  } finally {
    await log.close();
  }
}

import { sqliteCode } from './sqlite-error.ts';

export type Warn = (message: string, facts: Readonly<Record<string, unknown>>) => void;

/** What of the store can break while the rest goes on. */
export type StorePart = 'disk' | 'facts';

export type HealthState = 'ok' | { readonly degraded: string };

export interface Health {
  /** An error of the file system or of SQLite, which tells the part. */
  failed(error: unknown): void;
  worked(part: StorePart): void;
  state(): HealthState;
}

/** Tries what can fail, such as a question to the database. Undefined when it does, which is remembered. */
export function attempt<T>({ failed }: Pick<Health, 'failed'>, action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    failed(error);
    return undefined;
  }
}

const CONSEQUENCE = {
  disk: 'The cache directory cannot be written, so content passes through without being stored',
  facts: 'The facts database fails, so registries are asked again for what was known',
} as const satisfies Record<StorePart, string>;

/** Remembers what is broken until it works again; warns once for each change. */
export function createHealth(warn: Warn): Health {
  const broken = new Map<StorePart, string>();
  return {
    failed(error) {
      const part = sqliteCode(error) === undefined ? 'disk' : 'facts';
      const reason = error instanceof Error ? error.message : String(error);
      if (!broken.has(part)) warn(`${CONSEQUENCE[part]}.`, { reason });
      broken.set(part, reason);
    },
    worked(part) {
      if (broken.delete(part)) warn('The cache works again.', { part });
    },
    state() {
      if (broken.size === 0) return 'ok';
      return { degraded: [...broken].map(([part, reason]) => `${CONSEQUENCE[part]}: ${reason}.`).join(' ') };
    },
  };
}

import type { Action } from './principal.ts';

/** What is worth a line of the audit log: what changed a registry, a right or what clients are served, and what was denied. */
export type AuditKind =
  | 'push'
  | 'delete'
  | 'denied'
  | 'derived'
  | 'pin'
  | 'unpin'
  | 'rollback'
  | 'purge'
  | 'token-new'
  | 'token-revoke';

/** What became of it. `refused`: the registry or manifix said no; `failed`: there was no answer, or not all was done. */
export type AuditOutcome = 'done' | 'refused' | 'failed';

/** What only one kind of event has to tell. No credentials, and nothing that somebody could log in with. */
export type AuditDetail = Readonly<Record<string, string | number | boolean>>;

/** One event of the audit log; the log adds the time. */
export interface AuditEvent {
  readonly event: AuditKind;
  readonly outcome: AuditOutcome;
  /** As `Principal.user`; undefined for clients without credentials and for operators. */
  readonly user?: string | undefined;
  /** The address that the request came from; `local` for a command on the machine of the cache. */
  readonly client: string;
  readonly endpoint?: string | undefined;
  readonly upstream?: string | undefined;
  /** By the upstream's names, as in rights. */
  readonly repository?: string | undefined;
  /** The tag or the digest that was asked for. */
  readonly reference?: string | undefined;
  /** The digest that it is about, when that is known. */
  readonly digest?: string | undefined;
  /** Of the answer. */
  readonly status?: number | undefined;
  /** As in the log line of the request. */
  readonly requestId?: string | undefined;
  readonly detail?: AuditDetail | undefined;
}

/** What manifix itself did not let somebody do; it is for the audit log, and no answer shows it. */
export interface Denial {
  /** `login`: the credentials were wrong. */
  readonly action: Action | 'login';
  readonly endpoint: string;
  /** By the upstream's names. */
  readonly repository?: string | undefined;
  /** The tag or the digest that was asked for. */
  readonly reference?: string | undefined;
  /** Who was denied; for `login` the name that was tried. */
  readonly user?: string | undefined;
}

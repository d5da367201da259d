import type { TokenOperations } from './admin/token-routes.ts';
import { issueAccessToken } from './auth/access-tokens.ts';
import type { Config } from './config/config.ts';
import type { AccessTokenRecord, AccessTokenWish } from './domain/access-token.ts';
import type { AuditEvent } from './domain/audit.ts';
import { didYouMean } from './lib/nearest.ts';
import type { TokenRecords } from './store/token-records.ts';

/** What token operations work with. */
export interface TokenPlace {
  readonly records: TokenRecords;
  /** Undefined where only the directory is known, so that names of endpoints cannot be checked. */
  readonly config: () => Config | undefined;
  readonly audit: (event: AuditEvent) => void;
  /** Is called when a token counts no more. */
  readonly revoked?: () => void;
}

/** Tokens as operators make and revoke them. */
export function tokenOperations({ records, config, audit, revoked }: TokenPlace): TokenOperations {
  return {
    list: () => records.list(),
    issue(wish, client) {
      const running = config();
      const wrong = running && endpointMistake(wish, running);
      if (wrong !== undefined) return { wrong };
      const issued = issueAccessToken(wish, records, Date.now());
      audit(tokenEvent('token-new', client, issued.record));
      return issued;
    },
    revoke(id, client) {
      const record = records.list().find((one) => one.id === id);
      if (record === undefined || !records.revoke(id)) return false;
      revoked?.();
      audit(tokenEvent('token-revoke', client, record));
      return true;
    },
  };
}

function tokenEvent(event: 'token-new' | 'token-revoke', client: string, record: AccessTokenRecord): AuditEvent {
  const { id, user, note, endpoints, expiresAt } = record;
  const ends = expiresAt === undefined ? 'never' : new Date(expiresAt).toISOString();
  return { event, outcome: 'done', client, detail: { id, user, note, endpoints: endpoints?.join(' ') ?? 'all', ends } };
}

/** A token that counts nowhere is a mistake. */
function endpointMistake({ endpoints }: AccessTokenWish, config: Config): string | undefined {
  const taking = config.endpoints.filter(({ auth }) => auth?.tokens === true).map(({ name }) => name);
  if (taking.length === 0) return 'no endpoint takes tokens: set endpoints[].auth.tokens';
  const known = config.endpoints.map(({ name }) => name);
  const wrong = (endpoints ?? []).find((name) => !taking.includes(name));
  if (wrong === undefined) return undefined;
  return known.includes(wrong)
    ? `the endpoint "${wrong}" takes no tokens: set its auth.tokens`
    : `unknown endpoint "${wrong}"${didYouMean(wrong, known)}`;
}

import type { ConfigResult } from '../config/load.ts';
import type { TokenRequest } from '../config/token-request.ts';
import type { AccessTokenRecord } from '../domain/access-token.ts';
import { dayOf, formatDay } from '../domain/usage.ts';
import { tokenOperations } from '../token-operations.ts';
import { type CachePlace, findPlace, withAudit, withStore } from './cache-directory.ts';
import { type CommandOutcome, complain } from './outcome.ts';
import { type AdminAnswer, askRunning, onDirectory } from './running-manifix.ts';
import { table } from './table.ts';

type Work = TokenRequest['work'];
type NewToken = AccessTokenRecord & { readonly token: string };

/**
 * Makes, lists and revokes tokens: in a cache directory, or by the manifix that runs on it. Ends with 0, with 1 when there
 * is no such token or nobody answers, or with 2 when something is wrong with the question or the place.
 */
export async function runTokenCommand(
  { place, json, work }: TokenRequest,
  load: () => Promise<ConfigResult>,
): Promise<CommandOutcome> {
  const told = await carryOut(place, work, load);
  if ('problem' in told) return complain(told);
  if (json) return { exitCode: 0, text: JSON.stringify(told.content) };
  return describe(work, told.content);
}

async function carryOut(
  place: TokenRequest['place'],
  work: Work,
  load: () => Promise<ConfigResult>,
): Promise<AdminAnswer> {
  if (place.admin !== undefined) return askFor(place, work, load);
  const found = await findPlace(place, load);
  if ('mistakes' in found) return { problem: found.mistakes.join('\n'), isUsage: true };
  const hasConfig = place.config !== undefined || place.cacheDir === undefined;
  return onDirectory(
    () => workOn(found, work, hasConfig ? load : undefined),
    found.admin && (() => askFor(place, work, load)),
  );
}

async function workOn(
  { directory, audit }: CachePlace,
  work: Work,
  load: (() => Promise<ConfigResult>) | undefined,
): Promise<AdminAnswer> {
  const loaded = await load?.();
  const config = loaded !== undefined && 'config' in loaded ? loaded.config : undefined;
  return withStore(directory, (store) =>
    withAudit(audit, async (record): Promise<AdminAnswer> => {
      const tokens = tokenOperations({ records: store.tokens, config: () => config, audit: record });
      if (work.action === 'list') return { content: { tokens: tokens.list() } };
      if (work.action === 'new') {
        const outcome = tokens.issue(work.wish, 'local');
        if ('wrong' in outcome) return { problem: outcome.wrong, isUsage: true };
        return { content: { token: outcome.token, ...outcome.record } };
      }
      const isRevoked = tokens.revoke(work.id, 'local');
      return isRevoked
        ? { content: { revoked: work.id } }
        : { problem: `there is no token ${work.id}`, isUsage: false };
    }),
  );
}

function askFor(place: TokenRequest['place'], work: Work, load: () => Promise<ConfigResult>): Promise<AdminAnswer> {
  switch (work.action) {
    case 'list':
      return askRunning(place, load, '/tokens');
    case 'new':
      return askRunning(place, load, '/tokens', work.written);
    case 'revoke':
      return askRunning(place, load, '/tokens/revoke', { id: work.id });
  }
}

/** The token alone goes to standard output, so that it can be piped into a login. The contents are those of `workOn`. */
function describe(work: Work, content: unknown): CommandOutcome {
  if (work.action === 'new') {
    const { token, ...record } = content as NewToken;
    const what = `token ${record.id} of ${record.user}, for ${placesOf(record)}, ${endOf(record)}`;
    return { exitCode: 0, text: token, complaint: `${what}; it is shown this once only` };
  }
  if (work.action === 'revoke') return { exitCode: 0, text: `revoked ${work.id}` };
  const { tokens } = content as { readonly tokens: readonly AccessTokenRecord[] };
  if (tokens.length === 0) return { exitCode: 0, text: 'there are no tokens' };
  const rows = tokens.map((record) => [
    record.id,
    record.user,
    placesOf(record),
    formatDay(dayOf(record.createdAt)),
    endOf(record),
    record.note,
  ]);
  return { exitCode: 0, text: table([['id', 'user', 'endpoints', 'made', 'end', 'note'], ...rows]).join('\n') };
}

function placesOf({ endpoints }: AccessTokenRecord): string {
  return endpoints === undefined ? 'all endpoints' : endpoints.join(' ');
}

function endOf({ expiresAt }: AccessTokenRecord): string {
  if (expiresAt === undefined) return 'without end';
  return `${expiresAt <= Date.now() ? 'ended' : 'until'} ${formatDay(dayOf(expiresAt))}`;
}

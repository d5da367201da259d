import { Hono } from 'hono';
import { type PurgeSelection, parsePurgeSelection } from '../domain/purge.ts';
import { parseDuration } from '../lib/units.ts';
import { clientOf } from './client-of.ts';
import { parseObject, refuse, takeJsonOnly } from './json-requests.ts';

/** What operators can ask of the cache; the reports are told as JSON. */
export interface CacheOperations {
  statistics(): object;
  verify(signal: AbortSignal): Promise<object>;
  /** @param client the address of whoever asks */
  purge(selection: PurgeSelection, dryRun: boolean, client: string): Promise<object>;
}

interface PurgeRequest {
  readonly selection: PurgeSelection;
  readonly dryRun: boolean;
}

const PURGE_KEYS = { digest: 'string', repository: 'string', olderThan: 'string', all: 'boolean', dryRun: 'boolean' };

/** `GET /stats`, `POST /verify` and `POST /purge`. */
export function createCacheRoutes(cache: CacheOperations): Hono {
  const app = new Hono();
  let isVerifying = false;
  app.get('/stats', (context) => context.json(cache.statistics()));
  takeJsonOnly(app);
  app.post('/verify', async (context) => {
    const content = parseObject(await context.req.text());
    if (content === undefined || Object.keys(content).length > 0)
      return refuse(context, 400, 'send an empty JSON object');
    if (isVerifying) return refuse(context, 409, 'the cache is being verified already');
    isVerifying = true;
    try {
      return context.json(await cache.verify(context.req.raw.signal));
    } finally {
      isVerifying = false;
    }
  });
  app.post('/purge', async (context) => {
    const request = parsePurge(await context.req.text());
    if ('wrong' in request) return refuse(context, 400, request.wrong);
    return context.json(await cache.purge(request.selection, request.dryRun, clientOf(context)));
  });
  app.onError((error, context) => refuse(context, 500, error.message));
  return app;
}

/** Reads the body of a purge, or says what is wrong with it. */
function parsePurge(text: string): PurgeRequest | { readonly wrong: string } {
  const content = parseObject(text);
  if (content === undefined) return { wrong: 'send a JSON object' };
  for (const [key, value] of Object.entries(content)) {
    const expected = Object.entries(PURGE_KEYS).find(([name]) => name === key)?.[1];
    if (expected === undefined) return { wrong: `unknown key "${key}"; known: ${Object.keys(PURGE_KEYS).join(', ')}` };
    if (typeof value !== expected) return { wrong: `${key}: expected a ${expected}` };
  }
  // Checked just now, key by key.
  const {
    olderThan: age,
    dryRun = false,
    ...words
  } = content as {
    digest?: string;
    repository?: string;
    olderThan?: string;
    all?: boolean;
    dryRun?: boolean;
  };
  const olderThan = age === undefined ? undefined : parseDuration(age);
  if (age !== undefined && olderThan === undefined) return { wrong: 'olderThan: expected a time such as 12h or 30d' };
  const outcome = parsePurgeSelection({ ...words, olderThan });
  return 'wrong' in outcome ? outcome : { selection: outcome.selection, dryRun };
}

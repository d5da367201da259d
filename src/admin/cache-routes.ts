import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { type PurgeSelection, parsePurgeSelection } from '../domain/purge.ts';
import { parseDuration } from '../lib/units.ts';
import { clientOf } from './client-of.ts';

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

const MAX_BODY = 4096;

const PURGE_KEYS = { digest: 'string', repository: 'string', olderThan: 'string', all: 'boolean', dryRun: 'boolean' };

/** `GET /stats`, `POST /verify` and `POST /purge`. */
export function createCacheRoutes(cache: CacheOperations): Hono {
  const app = new Hono();
  let isVerifying = false;
  app.get('/stats', (context) => context.json(cache.statistics()));
  // A web page can make a browser send a form here without asking, but not JSON (the "preflight" of the Fetch standard).
  app.post('*', async (context, next) => {
    if (/^application\/json(?:;|$)/i.test(context.req.header('Content-Type') ?? '')) return next();
    return refuse(context, 415, 'send a JSON object, with Content-Type: application/json');
  });
  app.post('*', bodyLimit({ maxSize: MAX_BODY, onError: (context) => refuse(context, 413, 'the body is too long') }));
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

function refuse(context: Context, status: 400 | 409 | 413 | 415 | 500, error: string): Response {
  return context.json({ error }, status);
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const content: unknown = JSON.parse(text);
    const isObject = typeof content === 'object' && content !== null && !Array.isArray(content);
    return isObject ? (content as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
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

import { Hono } from 'hono';
import { type AccessTokenRecord, type AccessTokenWish, parseTokenWish } from '../domain/access-token.ts';
import { parseDuration } from '../lib/units.ts';
import { clientOf } from './client-of.ts';
import { parseObject, refuse, takeJsonOnly } from './json-requests.ts';

/** What operators can do with tokens. */
export interface TokenOperations {
  list(): readonly AccessTokenRecord[];
  /** @param client the address of whoever asks */
  issue(
    wish: AccessTokenWish,
    client: string,
  ): { readonly token: string; readonly record: AccessTokenRecord } | { readonly wrong: string };
  /** False when there is no such token. */
  revoke(id: string, client: string): boolean;
}

/** `GET /tokens`, `POST /tokens` and `POST /tokens/revoke`. */
export function createTokenRoutes(tokens: TokenOperations): Hono {
  const app = new Hono();
  takeJsonOnly(app);
  // Browsers name the page that makes them ask, and none has to: a page could reach a local listener under a name of its own.
  app.use('*', async (context, next) => {
    if (context.req.header('Origin') === undefined && context.req.header('Sec-Fetch-Site') === undefined) return next();
    return refuse(context, 403, 'tokens are not made by web pages');
  });
  app.get('/', (context) => context.json({ tokens: tokens.list() }));
  app.post('/', async (context) => {
    const content = parseObject(await context.req.text());
    if (content === undefined) return refuse(context, 400, 'send a JSON object');
    const wish = parseTokenWish(content, parseDuration);
    if ('wrong' in wish) return refuse(context, 400, wish.wrong);
    const outcome = tokens.issue(wish, clientOf(context));
    if ('wrong' in outcome) return refuse(context, 400, outcome.wrong);
    return context.json({ token: outcome.token, ...outcome.record });
  });
  app.post('/revoke', async (context) => {
    const { id, ...rest } = parseObject(await context.req.text()) ?? {};
    if (typeof id !== 'string' || Object.keys(rest).length > 0) {
      return refuse(context, 400, 'send {"id": "..."} with the id of a token');
    }
    const isRevoked = tokens.revoke(id, clientOf(context));
    return isRevoked ? context.json({ revoked: id }) : refuse(context, 404, `there is no token ${id}`);
  });
  app.onError((error, context) => refuse(context, 500, error.message));
  return app;
}

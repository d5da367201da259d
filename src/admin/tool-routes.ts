import { Hono } from 'hono';
import { IMAGE_CLIENTS, type ImageClientName, isImageClient } from '../domain/image-clients.ts';
import { isUsageBreakdown, USAGE_BREAKDOWNS, type UsageQuestion } from '../domain/usage.ts';
import { parseSince, SINCE_FORM } from '../lib/since.ts';
import { parseDuration } from '../lib/units.ts';

/** What an operator asks about one reference. */
export interface ExplainQuestion {
  readonly reference: string;
  readonly as: ImageClientName | undefined;
  readonly authorization: string | undefined;
}

/** The answer, or why there can be none. */
export type Told = { readonly told: object } | { readonly wrong: string };

/** What operators can ask of a running manifix; the answers are told as JSON. */
export interface ToolOperations {
  explain(question: ExplainQuestion): Promise<Told>;
  /** Who kept the fixes busy: the `top` most frequent. */
  report(top: number): object;
  /** What clients used since a day. */
  usage(question: UsageQuestion): object;
  /** What was pulled since a time and could not be pulled without the registry. */
  drill(since: number): Promise<object>;
}

const DEFAULT_TOP = 20;
const MAX_TOP = 1000;
const DEFAULT_SINCE = '30d';
const DEFAULT_USAGE_SINCE = '7d';

/** `GET /explain?reference=...&as=...`, `GET /report?top=20`, `GET /usage?since=7d&by=day&endpoint=...` and `GET /drill?since=30d` */
export function createToolRoutes(tools: ToolOperations): Hono {
  const app = new Hono();
  app.get('/explain', async (context) => {
    const { reference, as } = context.req.query();
    if (reference === undefined || reference === '') {
      return context.json({ error: 'reference is missing: /explain?reference=team/app:1.2' }, 400);
    }
    if (as !== undefined && !isImageClient(as)) {
      return context.json({ error: `as: expected ${IMAGE_CLIENTS.join(', ')}` }, 400);
    }
    const answer = await tools.explain({ reference, as, authorization: context.req.header('Authorization') });
    return 'wrong' in answer ? context.json({ error: answer.wrong }, 400) : context.json(answer.told);
  });
  app.get('/report', (context) => {
    const top = Number(context.req.query('top') ?? DEFAULT_TOP);
    if (!Number.isInteger(top) || top < 1 || top > MAX_TOP) {
      return context.json({ error: `top: expected a number from 1 to ${MAX_TOP}` }, 400);
    }
    return context.json(tools.report(top));
  });
  app.get('/usage', (context) => {
    const { since = DEFAULT_USAGE_SINCE, by = 'day', endpoint } = context.req.query();
    const first = parseSince(since, Date.now());
    if (first === undefined) return context.json({ error: `since: expected ${SINCE_FORM}` }, 400);
    if (!isUsageBreakdown(by)) return context.json({ error: `by: expected ${USAGE_BREAKDOWNS.join(', ')}` }, 400);
    return context.json(tools.usage({ since: first, by, endpoint }));
  });
  app.get('/drill', async (context) => {
    const age = parseDuration(context.req.query('since') ?? DEFAULT_SINCE);
    if (age === undefined) return context.json({ error: 'since: expected a time such as 12h or 30d' }, 400);
    return context.json(await tools.drill(Date.now() - age));
  });
  app.onError((error, context) => context.json({ error: error.message }, 500));
  return app;
}

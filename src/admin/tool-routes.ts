import { Hono } from 'hono';
import { IMAGE_CLIENTS, type ImageClientName, isImageClient } from '../domain/image-clients.ts';

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
}

/** `GET /explain?reference=...&as=...` */
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
  app.onError((error, context) => context.json({ error: error.message }, 500));
  return app;
}

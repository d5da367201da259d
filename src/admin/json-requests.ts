import type { Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';

const MAX_BODY = 4096;

/** Takes no POST but those with a short JSON object. */
export function takeJsonOnly(app: Hono): void {
  // A web page can make a browser send a form here without asking, but not JSON (the "preflight" of the Fetch standard).
  app.post('*', async (context, next) => {
    if (/^application\/json(?:;|$)/i.test(context.req.header('Content-Type') ?? '')) return next();
    return refuse(context, 415, 'send a JSON object, with Content-Type: application/json');
  });
  app.post('*', bodyLimit({ maxSize: MAX_BODY, onError: (context) => refuse(context, 413, 'the body is too long') }));
}

/** The object that a body holds; undefined when it holds none. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const content: unknown = JSON.parse(text);
    const isObject = typeof content === 'object' && content !== null && !Array.isArray(content);
    return isObject ? (content as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

export function refuse(context: Context, status: 400 | 403 | 404 | 409 | 413 | 415 | 500, error: string): Response {
  return context.json({ error }, status);
}

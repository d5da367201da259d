import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { type CacheOperations, createCacheRoutes } from './cache-routes.ts';
import type { Metrics } from './metrics.ts';
import { createTagRoutes, type TagOperations } from './tag-routes.ts';
import { createTokenRoutes, type TokenOperations } from './token-routes.ts';
import { createToolRoutes, type ToolOperations } from './tool-routes.ts';
import { type UpstreamConditions, upstreamTroubles } from './upstream-figures.ts';

export interface AdminOptions {
  readonly metrics: Metrics;
  /** `ok`, or a sentence that says what does not work while requests are still answered. */
  readonly health: () => 'ok' | { readonly degraded: string };
  /** How registries do; they take nothing from readiness, because the cache answers without them. */
  readonly upstreams: UpstreamConditions;
  /** False from the start of the shutdown on, so that load balancers look elsewhere. */
  readonly accepting: () => boolean;
  readonly cache: CacheOperations;
  readonly tools: ToolOperations;
  readonly tokens: TokenOperations;
  readonly tags: TagOperations;
}

const PATHS = [
  '/healthz',
  '/readyz',
  '/metrics',
  '/cache/stats',
  '/cache/verify',
  '/cache/purge',
  '/tokens',
  '/tokens/revoke',
  '/tags/history',
  '/tags/pin',
  '/tags/unpin',
  '/tags/rollback',
  '/explain',
  '/report',
  '/usage',
  '/drill',
];

/** The listener for operators: liveness, readiness, metrics and the cache. It is separate so that clients cannot reach it. */
export function createAdminServer({
  metrics,
  health,
  upstreams,
  accepting,
  cache,
  tools,
  tokens,
  tags,
}: AdminOptions): Server {
  const app = new Hono();
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  app.get('/readyz', (context) => {
    if (!accepting()) return context.json({ status: 'stopping' }, 503);
    const state = health();
    const troubles = upstreamTroubles(upstreams);
    return context.json({
      ...(state === 'ok' ? { status: 'ok' } : { status: 'degraded', reason: state.degraded }),
      ...(troubles === undefined ? {} : { upstreams: troubles }),
    });
  });
  app.get('/metrics', async (context) =>
    context.body(await metrics.render(), 200, { 'Content-Type': metrics.contentType }),
  );
  app.route('/tokens', createTokenRoutes(tokens));
  app.route('/tags', createTagRoutes(tags));
  app.route('/cache', createCacheRoutes(cache));
  app.route('/', createToolRoutes(tools));
  app.notFound((context) => context.json({ status: 'not found', paths: PATHS }, 404));
  return createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
}

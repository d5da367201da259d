import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';

/** The address that a request to the admin listener came from. */
export function clientOf(context: Context): string {
  // The adapter gives every request its socket; requests without one are made by tests.
  const { incoming } = (context.env ?? {}) as Partial<HttpBindings>;
  return incoming?.socket.remoteAddress ?? '';
}

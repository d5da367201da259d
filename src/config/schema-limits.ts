import { z } from 'zod';
import { bandwidth, count, requestRate, size } from './fields.ts';

/** What an endpoint's clients may use. */
export function limitsSchema() {
  return z.strictObject({
    quota: size()
      .optional()
      .describe(
        'How much of the cache it may fill; what it used least recently goes first. A pull is never refused for it.',
      ),
    requests: requestRate().optional().describe('How many requests it answers: `50/s`, `3000/m` or `1000/h`.'),
    burst: count().optional().describe('How many may come at once. Without it as many as `requests` names.'),
    bandwidth: bandwidth()
      .optional()
      .describe('How many bytes of bodies it sends in a second, shared by its connections.'),
    fills: count().optional().describe('How many downloads into the cache it has running; others wait for their turn.'),
    upload: size().optional().describe('The most bytes of one pushed blob, over all its chunks.'),
    perUser: z
      .strictObject({
        requests: requestRate().optional().describe('As above, for each user, or each address without one.'),
        burst: count().optional().describe('As above, for each user.'),
        bandwidth: bandwidth().optional().describe('As above, for each user.'),
        fills: count().optional().describe('As above, for each user.'),
      })
      .prefault({}),
  });
}

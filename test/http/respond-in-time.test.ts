import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { respond } from '../../src/http/respond.ts';
import type { Flow } from '../../src/lib/shared-rate.ts';
import type { AnswerBody } from '../../src/pipeline/exchange.ts';
import { within } from '../support/deadline.ts';
import { listenOnLoopback } from '../support/ports.ts';

/** A flow that lets everything wait until a test says otherwise. */
function heldFlow() {
  const opened = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const amounts: number[] = [];
  const flow: Flow = {
    pass(amount) {
      amounts.push(amount);
      asked.resolve();
      return opened.promise;
    },
    end() {
      ended.resolve();
      opened.resolve();
    },
  };
  return { flow, amounts, asked: asked.promise, ended: ended.promise, open: opened.resolve };
}

async function startServer(body: () => AnswerBody, flow: Flow) {
  const outcome = Promise.withResolvers<number | Error>();
  const server = createServer((_, outgoing) => {
    respond(outgoing, 200, [['Content-Length', '10']], body(), flow).then(outcome.resolve, outcome.resolve);
  });
  const port = await listenOnLoopback(server);
  return {
    outcome: outcome.promise,
    async ask(): Promise<IncomingMessage> {
      const request = get({ host: '127.0.0.1', port, agent: false });
      request.on('error', () => undefined);
      const [answer] = await within('the head of the answer', once(request, 'response'));
      return answer as IncomingMessage;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

const bytes = Buffer.from('0123456789');
const bodies: Record<string, () => AnswerBody> = {
  bytes: () => ({ kind: 'bytes', bytes }),
  stream: () => ({
    kind: 'stream',
    stream: Readable.from([bytes.subarray(0, 4), bytes.subarray(4)], { objectMode: false }),
  }),
  blob() {
    const chunks = [bytes.subarray(0, 4), bytes.subarray(4)];
    return { kind: 'blob', reader: { next: async () => chunks.shift(), close: () => undefined } };
  },
};

describe.each(Object.keys(bodies))('a body of the kind %s whose time has not come', (kind) => {
  const body = bodies[kind] ?? (() => ({ kind: 'none' }) as const);

  it('waits, and comes whole when it has', async () => {
    const held = heldFlow();
    await using server = await startServer(body, held.flow);
    const asking = server.ask();
    await held.asked;
    held.open();
    const answer = await asking;
    expect(await buffer(answer)).toEqual(bytes);
    expect(await server.outcome).toBe(10);
    expect(held.amounts.reduce((sum, amount) => sum + amount, 0)).toBe(10);
  });

  it('lets its header fields go ahead, because clients give up without them', async () => {
    const held = heldFlow();
    await using server = await startServer(body, held.flow);
    const answer = await server.ask();
    expect(answer.statusCode).toBe(200);
    held.open();
    expect(await buffer(answer)).toEqual(bytes);
  });

  it('is given up when the client leaves', async () => {
    const held = heldFlow();
    await using server = await startServer(body, held.flow);
    (await server.ask()).destroy();
    await within('the end of the wait', held.ended);
    expect(await server.outcome).toMatchObject({ name: 'AbortError' });
  });
});

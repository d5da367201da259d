import { once } from 'node:events';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { AuditEvent } from '../../src/domain/audit.ts';
import { trustCheck } from '../../src/http/client.ts';
import { createCursors } from '../../src/http/cursors.ts';
import { createEndpointRoutes } from '../../src/http/endpoint-routes.ts';
import type { Edge } from '../../src/http/handle.ts';
import { createReadyAnswers } from '../../src/http/ready-answers.ts';
import { createEdgeServer } from '../../src/http/server.ts';
import { createTokenEndpoint } from '../../src/http/token-endpoint.ts';
import { createTokenMemory } from '../../src/http/token-memory.ts';
import { createChallenges } from '../../src/pipeline/challenges.ts';
import type { Answer, Exchange } from '../../src/pipeline/exchange.ts';
import type { FinishedRequest } from '../../src/pipeline/ports.ts';
import { type Arrivals, arrivals } from '../support/arrivals.ts';
import { within } from '../support/deadline.ts';
import { fakeUpstream } from '../support/fake-upstream.ts';
import { listenOnLoopback } from '../support/ports.ts';
import { fakeEndpoint } from '../support/scene.ts';

/** The edge on a real socket, with a use case of the test's own behind it. */
export interface RunningEdge extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly finished: Arrivals<FinishedRequest>;
  readonly audited: Arrivals<AuditEvent>;
  readonly exchanges: readonly Exchange[];
}

export const okAnswer: Answer = {
  status: 200,
  headers: [['Content-Length', '2']],
  body: { kind: 'bytes', bytes: Buffer.from('ok') },
};

/** Starts the edge; every request is answered 200 where `dispatch` does not say otherwise. */
export async function startEdge(
  dispatch: (exchange: Exchange) => Promise<Answer> = async () => okAnswer,
  overrides: Partial<Edge> = {},
): Promise<RunningEdge> {
  const finished = arrivals<FinishedRequest>();
  const audited = arrivals<AuditEvent>();
  const exchanges: Exchange[] = [];
  const endpoint = fakeEndpoint(fakeUpstream());
  const endpoints = createEndpointRoutes([{ endpoint, ns: [], isDefault: true }]);
  const tokenMemory = createTokenMemory();
  const edge: Edge = {
    dispatch: (exchange) => {
      exchanges.push(exchange);
      return dispatch(exchange);
    },
    endpoints,
    tokens: createTokenEndpoint(endpoints, createChallenges(Date.now), tokenMemory),
    tokenMemory,
    cursors: createCursors(),
    trusts: trustCheck([]),
    observe: finished.add,
    audit: audited.add,
    ready: createReadyAnswers(Date.now),
    ...overrides,
  };
  const server = createEdgeServer(() => edge);
  const port = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    finished,
    audited,
    exchanges,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Sends bytes on a connection of their own and reads until the server ends it. */
export async function talk(port: number, bytes: string | Uint8Array): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  await within('the connection', once(socket, 'connect'));
  socket.write(bytes);
  const heard = await within('the end of the connection', buffer(socket));
  return heard.toString('latin1');
}

/** Status and error of a raw answer. */
export function parseAnswer(text: string): {
  status: number;
  contentType: string | undefined;
  error: { code: string; message: string };
} {
  const [head = '', body = ''] = text.split('\r\n\r\n', 2);
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]),
    contentType: /^Content-Type: (.*)$/m.exec(head)?.[1]?.trim(),
    error: JSON.parse(body).errors[0],
  };
}

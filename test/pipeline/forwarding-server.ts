import { lookup } from 'node:dns';
import { createServer, type IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { type ForwardedAnswer, type ForwardRequest, forward } from '../../src/pipeline/pass-through-proxy.ts';
import { type Arrivals, arrivals } from '../support/arrivals.ts';
import { listenOnLoopback } from '../support/ports.ts';

type Plan = Partial<ForwardRequest> & { readonly signal?: AbortSignal; readonly beforeReading?: Promise<void> };

/** A server that forwards every request to one registry and sends the answer on, as the edge does. */
export interface ForwardingServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** What `forward` resolved with, or rejected with. */
  readonly outcomes: Arrivals<ForwardedAnswer | Error>;
  /** How the bodies of the answers ended: undefined when whole. */
  readonly endings: Arrivals<{ readonly error: Error | undefined }>;
  /** Client requests as they come in. */
  readonly incoming: Arrivals<IncomingMessage>;
}

/** Starts one. `plan` says what to forward; by default the request as it came, with its body. */
export async function startForwardingServer(
  origin: string,
  plan: (incoming: IncomingMessage) => Plan | Promise<Plan> = () => ({}),
): Promise<ForwardingServer> {
  const outcomes = arrivals<ForwardedAnswer | Error>();
  const endings = arrivals<{ error: Error | undefined }>();
  const requests = arrivals<IncomingMessage>();
  const server = createServer(async (incoming, outgoing) => {
    requests.add(incoming);
    const { signal, beforeReading, ...planned } = await plan(incoming);
    const { method = 'GET', url = '/' } = incoming;
    const addresses = { allowsHost: () => true, lookup };
    const request: ForwardRequest = {
      ...{ origin, path: url, method, headers: [], body: 'stream', addresses },
      ...{ connectTimeout: 5_000, idle: { before: 120_000, during: 120_000 } },
      ...planned,
    };
    try {
      const answer = await forward({ incoming, outgoing }, request, signal);
      outcomes.add(answer);
      await beforeReading;
      outgoing.writeHead(answer.status, { 'X-Whole': String(answer.sentWhole()) });
      const error = await pipeline(answer.body, outgoing).then(
        () => undefined,
        (reason: Error) => reason,
      );
      endings.add({ error });
    } catch (error) {
      outcomes.add(error as Error);
      outgoing.writeHead(502).end();
    }
  });
  const port = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    outcomes,
    endings,
    incoming: requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

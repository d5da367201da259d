import { createServer, type Socket } from 'node:net';
import { type Arrivals, arrivals } from './arrivals.ts';
import { byteReader } from './byte-reader.ts';
import { within } from './deadline.ts';
import { headerValue } from './headers.ts';
import { listenOnLoopback } from './ports.ts';
import { bodyReader, type RequestHead, readRequestHead } from './raw-request.ts';
import { type ReceivedRequest, type RecordedBody, receivedRequest, recordedBody } from './received-request.ts';
import { respond, type Step } from './script-steps.ts';

/** A client's TCP connection; the first has number 1. */
export interface Connection {
  readonly number: number;
  readonly open: boolean;
  readonly requests: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** An upstream on raw sockets that does to each request what its script says. */
export interface ScriptedUpstream extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  readonly requests: readonly ReceivedRequest[];
  readonly connections: readonly Connection[];
  /** Requests whose script has not ended. */
  readonly inFlight: number;
  /** Answers matching requests after their body was read. Rules are tried in the order they were added. */
  on(method: string, target: RegExp, steps: readonly Step[]): void;
  /** The same for one request only. */
  once(method: string, target: RegExp, steps: readonly Step[]): void;
  /** Starts the steps at the head of a request: nothing of its body is read before a `readBody` step. */
  onHead(method: string, target: RegExp, steps: readonly Step[]): void;
  /** The first request, already there or still to come, that the predicate accepts. */
  requestArrived(accepts: (request: ReceivedRequest) => boolean): Promise<ReceivedRequest>;
  connectionOpened(number: number): Promise<Connection>;
  connectionClosed(number: number): Promise<void>;
  stop(): Promise<void>;
}

interface Rule {
  readonly method: string;
  readonly target: RegExp;
  readonly steps: readonly Step[];
  readonly startsAt: 'head' | 'body end';
  uses: number;
}

interface TrackedConnection {
  readonly view: Connection;
  readonly socket: Socket;
  readonly closed: Promise<void>;
  requests: number;
}

interface Scene {
  readonly rules: Rule[];
  readonly requests: Arrivals<ReceivedRequest>;
  inFlight: number;
}

const unscripted = respond(
  404,
  [['Content-Type', 'application/json']],
  JSON.stringify({ errors: [{ code: 'NAME_UNKNOWN', message: 'no rule of the script matches this request' }] }),
);

/** Starts an upstream without rules: it answers 404 with an OCI error to everything. */
export async function startScriptedUpstream(): Promise<ScriptedUpstream> {
  const scene: Scene = { rules: [], requests: arrivals(), inFlight: 0 };
  const connections = arrivals<TrackedConnection>();
  const server = createServer((socket) => {
    const connection = track(socket, connections.all.length + 1);
    connections.add(connection);
    void serve(connection, scene);
  });
  const host = `127.0.0.1:${await listenOnLoopback(server)}`;

  const connection = (number: number) =>
    connections.first(`connection ${number} to the scripted upstream`, ({ view }) => view.number === number);
  const rule = (startsAt: Rule['startsAt'], uses: number) => (method: string, target: RegExp, steps: readonly Step[]) =>
    void scene.rules.push({ method, target, steps, startsAt, uses });
  const stop = async () => {
    for (const { socket } of connections.all) socket.destroy();
    await new Promise((closed) => server.close(closed));
  };

  return {
    url: `http://${host}`,
    host,
    requests: scene.requests.all,
    get connections() {
      return connections.all.map(({ view }) => view);
    },
    get inFlight() {
      return scene.inFlight;
    },
    on: rule('body end', Number.POSITIVE_INFINITY),
    once: rule('body end', 1),
    onHead: rule('head', Number.POSITIVE_INFINITY),
    requestArrived: (accepts) => scene.requests.first('a request that the predicate accepts', accepts),
    connectionOpened: async (number) => (await connection(number)).view,
    connectionClosed: async (number) => within(`connection ${number} closes`, (await connection(number)).closed),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function track(socket: Socket, number: number): TrackedConnection {
  // Peers break connections on purpose here; the script learns of it by `closed`.
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const connection: TrackedConnection = {
    socket,
    closed,
    requests: 0,
    view: {
      number,
      get open() {
        return !socket.destroyed;
      },
      get requests() {
        return connection.requests;
      },
      get bytesRead() {
        return socket.bytesRead;
      },
      get bytesWritten() {
        return socket.bytesWritten;
      },
    },
  };
  return connection;
}

async function serve(connection: TrackedConnection, scene: Scene): Promise<void> {
  const reader = byteReader(connection.socket);
  while (!connection.socket.destroyed) {
    const head = await readRequestHead(reader);
    if (head === undefined) return;
    connection.requests += 1;
    scene.inFlight += 1;
    await perform(connection, scene, head, recordedBody(bodyReader(reader, head.headers)));
    scene.inFlight -= 1;
  }
}

async function perform(
  { socket, closed, view }: TrackedConnection,
  scene: Scene,
  head: RequestHead,
  body: RecordedBody,
): Promise<void> {
  const request = receivedRequest(head, view.number, body);
  const rule = scene.rules.find(
    ({ method, target, uses }) => uses > 0 && method === head.method && target.test(head.target),
  );
  if (rule !== undefined) rule.uses -= 1;
  scene.requests.add(request);
  const context = { socket, closed, method: head.method, headers: head.headers, readBody: body.read };
  if (rule?.startsAt !== 'head') {
    if (headerValue(head.headers, 'Expect') !== undefined) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    await body.read();
  }
  for (const step of rule?.steps ?? [unscripted]) {
    if (!socket.destroyed) await step(context);
  }
  if (!socket.destroyed) await body.read();
}

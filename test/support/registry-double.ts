import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { arrivals } from './arrivals.ts';
import { blobEndpoint } from './double/blobs.ts';
import { type DoubleContent, doubleContent } from './double/content.ts';
import { catalogEndpoint, referrersEndpoint, tagsEndpoint } from './double/listings.ts';
import { manifestEndpoint } from './double/manifests.ts';
import { answer, type DoubleRequest, type DoubleResponse, errorAnswer } from './double/message.ts';
import { routeOf } from './double/route.ts';
import { uploadEndpoint, uploadsEndpoint } from './double/uploads.ts';
import { headerList, withHeader } from './headers.ts';
import { listenOnLoopback } from './ports.ts';

/**
 * Stands between the wire and the registry: it may change the request, the answer, or both.
 * `cut` breaks the connection without an answer.
 */
export type Intercept = (
  request: DoubleRequest,
  respondNormally: (request?: DoubleRequest) => Promise<DoubleResponse>,
) => Promise<DoubleResponse | 'cut'>;

interface RegistryDoubleOptions {
  /** Repositories whose names give the same key show the same content; by default each has its own. */
  readonly contentKey?: (repository: string) => string;
  readonly intercept?: Intercept;
}

/** A correct OCI registry in memory that serves every type whatever `Accept` says. */
export interface RegistryDouble extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  readonly content: DoubleContent;
  /** Every request, in the order in which their bodies were complete. */
  readonly requests: readonly DoubleRequest[];
  /** The first request, already there or still to come, that the predicate accepts. */
  requestArrived(accepts: (request: DoubleRequest) => boolean): Promise<DoubleRequest>;
  stop(): Promise<void>;
}

/** Starts an empty registry. */
export async function startRegistryDouble(options: RegistryDoubleOptions = {}): Promise<RegistryDouble> {
  const content = doubleContent(options.contentKey ?? ((repository) => repository));
  const requests = arrivals<DoubleRequest>();
  const intercept = options.intercept ?? ((_, respondNormally) => respondNormally());

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const request = await readRequest(incoming);
    requests.add(request);
    const response = await intercept(request, async (altered = request) => registryAnswer(content, altered));
    send(response, outgoing);
  }

  // Connections stay open: one that the server closes may be the one on which the next request is just sent.
  const server = createServer({ keepAliveTimeout: 0 }, (incoming, outgoing) => {
    // A client that goes away in the middle of its body is no failure of the registry.
    handle(incoming, outgoing).catch((error: unknown) => outgoing.destroy(error instanceof Error ? error : undefined));
  });
  const host = `127.0.0.1:${await listenOnLoopback(server)}`;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  };
  return {
    url: `http://${host}`,
    host,
    content,
    requests: requests.all,
    requestArrived: (accepts) => requests.first('a request that the predicate accepts', accepts),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function readRequest(incoming: IncomingMessage): Promise<DoubleRequest> {
  const target = incoming.url ?? '';
  const [path = ''] = target.split('?', 1);
  return {
    method: incoming.method ?? '',
    target,
    path,
    query: new URLSearchParams(target.slice(path.length)),
    headers: headerList(incoming.rawHeaders),
    body: await buffer(incoming),
  };
}

function registryAnswer(content: DoubleContent, request: DoubleRequest): DoubleResponse {
  const response = endpointAnswer(content, request);
  const headers = withHeader(response.headers, 'Docker-Distribution-Api-Version', 'registry/2.0');
  return { ...response, headers };
}

function endpointAnswer(content: DoubleContent, request: DoubleRequest): DoubleResponse {
  const route = routeOf(request.path);
  switch (route.kind) {
    case 'base':
      return answer(200, [['Content-Type', 'application/json']], '{}');
    case 'catalog':
      return catalogEndpoint(content, request);
    case 'manifest':
      return manifestEndpoint(content, request, route.repository, route.reference);
    case 'blob':
      return blobEndpoint(content, request, route.repository, route.digest);
    case 'uploads':
      return uploadsEndpoint(content, request, route.repository);
    case 'upload':
      return uploadEndpoint(content, request, route.repository, route.session);
    case 'tags':
      return tagsEndpoint(content, request, route.repository);
    case 'referrers':
      return referrersEndpoint(content, request, route.repository, route.digest);
    case 'unknown':
      return errorAnswer(404, 'NAME_UNKNOWN', 'no such endpoint');
  }
}

function send(response: DoubleResponse | 'cut', outgoing: ServerResponse): void {
  if (response === 'cut') {
    outgoing.destroy();
    return;
  }
  // The flat form keeps capitals and repeated fields; Node leaves the body of an answer to HEAD away.
  outgoing.writeHead(response.status, response.headers.flat());
  outgoing.end(response.body);
}

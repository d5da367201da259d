import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type DockerRegistry, startDockerRegistry } from './docker-registry.ts';
import { listenOnLoopback } from './ports.ts';

/** A registry that stores an index without mediaType and does not hand it out, as GitLab's did. */
export interface GitlabRegistry extends AsyncDisposable {
  readonly url: string;
  /** What it stores, without the refusal in front. */
  readonly storage: DockerRegistry;
  stop(): Promise<void>;
}

const REFUSAL = '{"errors":[{"code":"MANIFEST_INVALID","message":"Schema 1 manifest not supported"}]}';

/** Starts it on loopback: a real docker-registry behind the refusal of gitlab-org/container-registry#559. */
export async function startGitlabRegistry(): Promise<GitlabRegistry> {
  const storage = await startDockerRegistry();
  const server = createServer((incoming, outgoing) => {
    answer(storage, incoming, outgoing).catch(() => outgoing.destroy());
  });
  const url = `http://127.0.0.1:${await listenOnLoopback(server)}`;
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await storage.stop();
  };
  return { url, storage, stop, [Symbol.asyncDispose]: stop };
}

async function answer(storage: DockerRegistry, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const reads = incoming.method === 'GET' || incoming.method === 'HEAD';
  const refused = reads && /\/manifests\/[^/]+$/.test(incoming.url ?? '') && (await lacksMediaType(storage, incoming));
  if (refused) {
    outgoing.writeHead(400, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': REFUSAL.length });
    outgoing.end(incoming.method === 'HEAD' ? undefined : REFUSAL);
    return;
  }
  const response = await send(storage, incoming, incoming.method ?? 'GET');
  outgoing.writeHead(response.statusCode ?? 502, response.rawHeaders);
  response.pipe(outgoing);
}

async function lacksMediaType(storage: DockerRegistry, incoming: IncomingMessage): Promise<boolean> {
  const response = await send(storage, incoming, 'GET');
  const body = await buffer(response);
  if (response.statusCode !== 200) return false;
  const { manifests, mediaType } = JSON.parse(body.toString());
  return manifests !== undefined && mediaType === undefined;
}

/** Sends the request on with its own Host, from which the registry makes its Locations. */
function send(storage: DockerRegistry, incoming: IncomingMessage, method: string): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const { hostname, port } = new URL(storage.url);
  const outgoing = request({ hostname, port, method, path: incoming.url, headers: incoming.headers }, resolve);
  outgoing.once('error', reject);
  incoming.pipe(outgoing);
  return promise;
}

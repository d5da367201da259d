import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config, EndpointConfig } from './config/config.ts';
import { generationOf } from './generation.ts';
import { createEdgeServer } from './http/server.ts';
import type { Dispatch } from './pipeline/dispatch.ts';
import type { Challenges } from './pipeline/ports.ts';
import { createUpstream } from './upstream/upstream.ts';

const PATH = `/v2/library/rehearsal/blobs/sha256:${'0'.repeat(64)}`;
/** No configured upstream can have this name, under which nothing is known. */
const NAME = 'the rehearsal';

/**
 * Sends one question through an edge of its own to a registry of its own, both on the loopback interface, so that the first
 * client does not wait until undici's parser is compiled and code that never ran is loaded. The registry does not have what
 * is asked for: nothing is stored, and nothing is counted.
 */
export async function rehearse(config: Config, dispatch: Dispatch, challenges: Challenges): Promise<void> {
  const unobserved = { requestFinished() {}, spent() {}, upstreamAnswered() {}, warn() {}, audit() {} };
  const registry = createServer((_, outgoing) => void outgoing.writeHead(404).end());
  const { edge, upstreams } = generationOf(asRehearsed(config, await listening(registry)), {
    dispatch,
    challenges,
    figures: unobserved,
    telemetry: unobserved,
  });
  const server = createEdgeServer(() => edge);
  const client = createUpstream({ name: NAME, url: await listening(server) });
  try {
    const { body } = await client.request({ method: 'HEAD', path: PATH, headers: [] });
    body.resume();
  } finally {
    await Promise.all([client, ...upstreams].map((used) => used.close()));
    await Promise.all([server, registry].map(closed));
  }
}

/** The configuration with one endpoint that everybody may use, in front of that registry. */
function asRehearsed(config: Config, url: string): Config {
  // A valid configuration has at least one of each.
  const [{ auth: _, host, prefix, ...endpoint }] = config.endpoints as [EndpointConfig];
  const [{ tls, proxy, ...upstream }] = Object.values(config.upstreams) as [Config['upstreams'][string]];
  return {
    ...config,
    upstreams: { [NAME]: { ...upstream, url, fallbacks: [], credentials: { kind: 'none' } } },
    endpoints: [{ ...endpoint, ns: [], isDefault: true, upstream: NAME }],
  };
}

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server's address is an object.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function closed(server: Server): Promise<void> {
  const ended = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await ended;
}

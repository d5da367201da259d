import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Config } from './config/config.ts';
import { generationOf } from './generation.ts';
import { createEdgeServer } from './http/server.ts';
import { createChallenges } from './pipeline/challenges.ts';
import type { Dispatch } from './pipeline/dispatch.ts';
import { createUpstream } from './upstream/upstream.ts';

/** Whether anything is stored under it does not matter: nobody looks. */
const PATH = `/v2/library/rehearsal/blobs/sha256:${'0'.repeat(64)}`;

/**
 * Sends one request through an edge and a client of their own on the loopback interface, so that the first client does not
 * wait until undici's parser is compiled and code that never ran is loaded. It counts nowhere and reaches no registry.
 */
export async function rehearse(config: Config): Promise<void> {
  const unobserved = { requestFinished() {}, spent() {}, upstreamAnswered() {}, warn() {}, audit() {} };
  const { edge, upstreams } = generationOf(config, answerEmpty, createChallenges(Date.now), unobserved, unobserved);
  const server = createEdgeServer(() => edge);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo;
  const client = createUpstream({ name: 'rehearsal', url: `http://127.0.0.1:${port}` });
  try {
    const { body } = await client.request({
      method: 'GET',
      path: PATH,
      headers: [['Host', config.endpoints[0]?.host ?? '']],
    });
    body.resume();
  } finally {
    const closed = once(server, 'close');
    server.close();
    await Promise.all([client, ...upstreams].map((used) => used.close()));
    server.closeAllConnections();
    await closed;
  }
}

const answerEmpty: Dispatch = async () => ({ status: 200, headers: [['Content-Length', '0']], body: { kind: 'none' } });

import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';

/**
 * Systems take the ports of outgoing connections, and of listeners that want any, from 32768 on or higher. Below that a port
 * that was let go is taken by nobody, so that a server can come back to it, or stay away. Each worker of vitest has a slice of
 * its own, and two runs on one machine begin at different places in it.
 */
const [FIRST, SLICE, SLICES] = [10_000, 5_600, 4];
const start = FIRST + (Number(process.env.VITEST_POOL_ID ?? 0) % SLICES) * SLICE;
let last = randomInt(SLICE);

/** Lets a server listen on 127.0.0.1, and gives its port. */
export async function listenOnLoopback(server: Server): Promise<number> {
  for (let tries = 0; tries < SLICE; tries += 1) {
    last = (last + 1) % SLICE;
    // Several may look for one at the same time.
    const port = start + last;
    if (await listensOn(server, port)) return port;
  }
  throw new Error('every port is taken');
}

async function listensOn(server: Server, port: number): Promise<boolean> {
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    throw error;
  }
}

/** A loopback port for a program that cannot choose one itself: nothing listens there, and no other test will. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server);
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Starts a program on free ports, and again on others when another run of the tests was quicker to listen there. */
export async function onFreePorts<T>(launch: (...ports: [number, number]) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await launch(await freePort(), await freePort());
    } catch (error) {
      if (tries === 5 || !/another program listens there already/.test(String(error))) throw error;
    }
  }
}

/** Says whether something accepts connections on a loopback port. */
export function portIsOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { readSendQueues } from '../../src/http/send-queues.ts';
import { watchSlowReaders } from '../../src/http/slow-readers.ts';
import { createManualClock } from '../store/support/manual-clock.ts';
import { eventually, within } from '../support/deadline.ts';
import { listenOnLoopback } from '../support/ports.ts';

const CHECK = 20_000;
const LARGE = Buffer.alloc(64 * 1024 * 1024);

interface Watched extends AsyncDisposable {
  /** Connects a client that reads nothing by itself. */
  client(): Promise<{ readonly client: Socket; readonly socket: Socket }>;
  /** Writes more than all buffers on the way hold, and waits until these are full. */
  fill(socket: Socket): Promise<void>;
  /** Lets that many checks take place. */
  checks(count: number): Promise<void>;
  readonly cut: number;
  shortage: boolean;
}

async function watch(): Promise<Watched> {
  const clock = createManualClock();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  const port = await listenOnLoopback(server);
  let measured = 0;
  const state = { cut: 0, shortage: true };
  const stop = watchSlowReaders({
    clock,
    connections: sockets,
    isMemoryShort: () => state.shortage,
    sendQueues: async () => {
      const queues = await readSendQueues(port);
      // The measuring itself happens right behind this.
      setImmediate(() => {
        measured += 1;
      });
      return queues;
    },
    onCut: () => {
      state.cut += 1;
    },
  });
  const clients: Socket[] = [];
  return {
    async client() {
      const client = connect(port, '127.0.0.1').pause();
      client.on('error', () => undefined);
      clients.push(client);
      const [socket] = (await within('a connection', once(server, 'connection'))) as [Socket];
      return { client, socket };
    },
    async fill(socket) {
      socket.write(LARGE);
      let before: number | undefined;
      let unchanged = 0;
      await eventually('full buffers', async () => {
        const queued = (await readSendQueues(port))(socket);
        // Acknowledgements come with delays of up to 200 milliseconds.
        unchanged = queued === before && queued !== 0 ? unchanged + 1 : 0;
        before = queued;
        return unchanged > 15 || undefined;
      });
    },
    async checks(count) {
      for (let check = 0; check < count; check += 1) {
        const before = measured;
        clock.advance(CHECK);
        if (state.shortage) await eventually('a check', async () => measured > before || undefined);
      }
    },
    get cut() {
      return state.cut;
    },
    get shortage() {
      return state.shortage;
    },
    set shortage(isShort) {
      state.shortage = isShort;
    },
    async [Symbol.asyncDispose]() {
      stop();
      for (const client of clients) client.destroy();
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Takes at least that many bytes, and then nothing more. */
async function take(client: Socket, count: number): Promise<void> {
  const enough = Promise.withResolvers<void>();
  let taken = 0;
  const onData = (chunk: Buffer) => {
    taken += chunk.length;
    if (taken < count) return;
    client.pause().off('data', onData);
    enough.resolve();
  };
  client.on('data', onData).resume();
  await within('enough bytes', enough.promise);
}

describe.runIf(existsSync('/proc/net/tcp'))('while memory is short', () => {
  it('a client that takes nothing of its answer for a minute is cut', async () => {
    await using watched = await watch();
    const { socket } = await watched.client();
    await watched.fill(socket);
    await watched.checks(3);
    expect(socket.destroyed).toBe(false);
    await watched.checks(1);
    expect(socket.destroyed).toBe(true);
    expect(watched.cut).toBe(1);
  });

  it('a client that takes more than 1 KiB/s is not, although the kernel takes nothing more from us', async () => {
    await using watched = await watch();
    const { client, socket } = await watched.client();
    await watched.fill(socket);
    for (let check = 0; check < 9; check += 1) {
      // The client's kernel announces its free buffer only now and then, so that a smaller amount could look like nothing.
      await take(client, 2 * 1024 * 1024);
      await watched.checks(1);
    }
    expect(socket.destroyed).toBe(false);
  });

  it('a client that waits for its answer is not', async () => {
    await using watched = await watch();
    const { client, socket } = await watched.client();
    socket.write('the first bytes');
    await take(client, 15);
    await watched.checks(10);
    expect(socket.destroyed).toBe(false);
  });
});

describe.runIf(existsSync('/proc/net/tcp'))('while memory is not short', () => {
  it('a client may take as long as it likes, and its minute begins with the shortage', async () => {
    await using watched = await watch();
    const { socket } = await watched.client();
    await watched.fill(socket);
    await watched.checks(3);
    watched.shortage = false;
    await watched.checks(10);
    watched.shortage = true;
    await watched.checks(3);
    expect(socket.destroyed).toBe(false);
    await watched.checks(1);
    expect(socket.destroyed).toBe(true);
  });
});

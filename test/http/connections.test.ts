import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { connect as connectSecurely } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { type Connections, connectionLimits, createConnections } from '../../src/http/connections.ts';
import { makeCertificate } from '../support/certificate.ts';
import { eventually, within } from '../support/deadline.ts';
import { listenOnLoopback } from '../support/ports.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

interface Guarded extends AsyncDisposable {
  readonly connections: Connections;
  /** Opens a connection and waits until the server has it, or has dropped it. */
  open(): Promise<Socket>;
  /** Sends a request and gives the status of the answer, or what the server thinks of the connection. */
  ask(socket: Socket): Promise<string>;
}

async function guard(served: number, accepted: number): Promise<Guarded> {
  const connections = createConnections({ served, accepted });
  const server: Server = createServer((incoming, outgoing) => {
    outgoing.end(connections.isRefused(incoming.socket) ? 'refused' : 'served');
  });
  connections.guard(server);
  const port = await listenOnLoopback(server);
  const sockets: Socket[] = [];
  return {
    connections,
    async open() {
      const arrived = Promise.race([once(server, 'connection'), once(server, 'drop')]);
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      sockets.push(socket);
      await within('a connection', arrived);
      return socket;
    },
    async ask(socket) {
      socket.write(REQUEST);
      const [answer] = await within('an answer', once(socket, 'data'));
      return /refused|served/.exec(String(answer))?.[0] ?? '';
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

it('connections over TLS are counted when they can be served', async () => {
  const connections = createConnections({ served: 1, accepted: 9 });
  const { certificate, key } = makeCertificate({ name: 'localhost', hosts: ['127.0.0.1'] });
  const server = createSecureServer({ cert: certificate, key }, (incoming, outgoing) => {
    outgoing.end(connections.isRefused(incoming.socket) ? 'refused' : 'served');
  });
  connections.guard(server);
  const port = await listenOnLoopback(server);
  const ask = async () => {
    const socket = connectSecurely({ port, host: '127.0.0.1', ca: certificate });
    socket.write(REQUEST);
    const [answer] = await within('an answer', once(socket, 'data'));
    return { socket, answer: /refused|served/.exec(String(answer))?.[0] };
  };
  const first = await ask();
  expect([first.answer, connections.figures().open]).toEqual(['served', 1]);
  first.socket.destroy();
  await eventually('the end of the connection', async () => connections.figures().open === 0 || undefined);
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

describe('the limits of connections', () => {
  it.each([
    [256, { served: 128, accepted: 192 }],
    [1024, { served: 512, accepted: 768 }],
    [4096, { served: 3072, accepted: 3584 }],
    [1_048_576, { served: 20_000, accepted: 20_512 }],
    [Number.POSITIVE_INFINITY, { served: 20_000, accepted: 20_512 }],
  ])('leave enough of %d descriptors for files and registries', (descriptors, limits) => {
    expect(connectionLimits(descriptors)).toEqual(limits);
  });
});

describe('a connection', () => {
  it('within the limit is served, one beyond it is not, and one far beyond it is dropped', async () => {
    await using guarded = await guard(1, 2);
    const { connections } = guarded;
    const first = await guarded.open();
    const second = await guarded.open();
    await guarded.open();
    expect(connections.figures()).toEqual({ open: 2, refused: 1, dropped: 1, slow: 0 });
    expect(await guarded.ask(first)).toBe('served');
    expect(await guarded.ask(second)).toBe('refused');
  });

  it('that is kept alive for nothing makes room; one whose request is on its way does not', async () => {
    await using guarded = await guard(2, 3);
    const idle = await guarded.open();
    expect(await guarded.ask(idle)).toBe('served');
    const fresh = await guarded.open();
    const closed = once(idle, 'close');
    const third = await guarded.open();
    await within('the end of the idle one', closed);
    expect(await guarded.ask(third)).toBe('served');
    expect(await guarded.ask(fresh)).toBe('served');
    expect(guarded.connections.figures()).toEqual({ open: 2, refused: 0, dropped: 0, slow: 0 });
  });

  it('lets a hundred requests wait, and closes behind the answer that tells the next one to come back', async () => {
    const connections = createConnections({ served: 9, accepted: 9 });
    const waiting: ServerResponse[] = [];
    const server = createServer(({ socket }, outgoing) => {
      if (connections.isRefused(socket)) outgoing.setHeader('Connection', 'close').end('refused');
      else waiting.push(outgoing);
    });
    connections.guard(server);
    const socket = connect(await listenOnLoopback(server), '127.0.0.1');
    const received = buffer(socket);
    socket.write(REQUEST.repeat(300));
    await eventually('a refusal', async () => connections.figures().refused > 0 || undefined);
    for (const outgoing of waiting) outgoing.end('served');
    const text = String(await within('the end of the connection', received));
    expect(text.match(/served|refused/g)).toEqual([...Array(100).fill('served'), 'refused']);
    await new Promise((closed) => server.close(closed));
  });

  it('that is answered as it asks may ask for ever', async () => {
    await using guarded = await guard(1, 1);
    const socket = await guarded.open();
    for (let time = 0; time < 60; time += 1) {
      socket.write(REQUEST.repeat(5));
      await within('the answers', once(socket, 'data'));
    }
    expect(guarded.connections.figures().refused).toBe(0);
  });

  it('that ends frees its place', async () => {
    await using guarded = await guard(1, 1);
    const first = await guarded.open();
    expect(await guarded.ask(first)).toBe('served');
    first.destroy();
    await eventually('a free place', async () => guarded.connections.figures().open === 0 || undefined);
    expect(await guarded.ask(await guarded.open())).toBe('served');
  });
});

import { createServer, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { type BodyPace, readInTime } from '../../src/lib/body-deadline.ts';
import { within } from '../support/deadline.ts';
import { listenOnLoopback } from '../support/ports.ts';

/** Lets a client send a body as it likes, and gives how reading it in time ended. */
async function outcomeOf(pace: BodyPace, sendBody: (socket: Socket) => void): Promise<string> {
  const outcome = Promise.withResolvers<string>();
  const read = async (incoming: IncomingMessage): Promise<string> => {
    const late = (received: number) => new Error(`late after ${received} bytes`);
    return (await readInTime(incoming, buffer(incoming), pace, late)).toString();
  };
  const server = createServer((incoming) => {
    read(incoming).then(outcome.resolve, (error: Error) => outcome.resolve(error.message));
    sendBody(socket);
  });
  const port = await listenOnLoopback(server);
  const socket = connect(port, '127.0.0.1');
  try {
    socket.write('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n');
    return await within('the body', outcome.promise);
  } finally {
    socket.destroy();
    server.close();
  }
}

describe('a body', () => {
  it('that comes in time is read', async () => {
    expect(await outcomeOf({ grace: 10_000, bytesPerSecond: 1 }, (socket) => socket.write('abcd'))).toBe('abcd');
  });

  it('that comes too slowly is given up, with what came of it', async () => {
    const outcome = await outcomeOf({ grace: 50, bytesPerSecond: 100 }, (socket) => socket.write('abc'));
    expect(outcome).toMatch(/^late after [03] bytes$/);
  });

  it('gets more time for what came', async () => {
    // Without the byte that came it would be late at once.
    const outcome = await outcomeOf({ grace: 2_000, bytesPerSecond: 0.01 }, (socket) => {
      socket.write('abc', () => setTimeout(() => socket.write('d'), 2_500));
    });
    expect(outcome).toBe('abcd');
  });

  it('that is cut rejects with the error of the cut', async () => {
    const outcome = await outcomeOf({ grace: 10_000, bytesPerSecond: 1 }, (socket) => socket.resetAndDestroy());
    expect(outcome).toBe('aborted');
  });
});

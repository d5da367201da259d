import { connect, type Socket } from 'node:net';
import { type ByteReader, byteReader } from '../byte-reader.ts';
import { within } from '../deadline.ts';
import { type HeaderList, headerValue } from '../headers.ts';

export interface RawAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Buffer;
}

/** A client's connection on which a test says every byte itself. */
export interface RawClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  send(bytes: string): void;
  /** The next answer on the connection, read by its Content-Length. Rejects when the connection ends before. */
  answer(method?: 'GET' | 'HEAD'): Promise<RawAnswer>;
}

/** Connects to `http://127.0.0.1:PORT`. The client's side of the connection stays open when the server ends its own. */
export async function connectRaw(origin: string): Promise<RawClient> {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await within('a connection', new Promise<void>((resolve) => socket.once('connect', () => resolve())));
  const reader = byteReader(socket);
  return {
    socket,
    closed,
    send: (bytes) => void socket.write(bytes),
    answer: (method = 'GET') => within('an answer', readAnswer(reader, method)),
  };
}

async function readAnswer(reader: ByteReader, method: 'GET' | 'HEAD'): Promise<RawAnswer> {
  const text = (await reader.readUntil('\r\n\r\n'))?.toString('latin1');
  if (text === undefined) throw new Error('the connection ended before an answer');
  const [statusLine = '', ...lines] = text.split('\r\n');
  const headers = lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const);
  const chunks: Buffer[] = [];
  let left = method === 'HEAD' ? 0 : Number(headerValue(headers, 'Content-Length') ?? 0);
  while (left > 0) {
    const chunk = await reader.readSome(left);
    if (chunk === undefined) throw new Error('the connection ended within a body');
    chunks.push(chunk);
    left -= chunk.length;
  }
  return { status: Number(statusLine.split(' ')[1]), headers, body: Buffer.concat(chunks) };
}

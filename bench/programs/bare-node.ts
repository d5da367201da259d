import { close, fstat, open, read, readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { listenOnLoopback } from '../../test/support/ports.ts';

// The least that node:http has to do for the same bytes: what a cache in Node is measured against. Its argument is a file
// with what to serve, by path.

export interface Asset {
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly file: string;
  /** From memory, from a file by one read, or from a file chunk by chunk. */
  readonly way: 'memory' | 'one-read' | 'chunks';
}

export type Assets = Readonly<Record<string, Asset>>;

type Send = (response: ServerResponse) => void;

const CHUNK = 512 * 1024;
const buffers = new Map<number, Buffer[]>();

const assets: Assets = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const senders = new Map(Object.entries(assets).map(([path, asset]) => [path, senderOf(asset)]));
const server = createServer((request, response) => {
  const send = senders.get(request.url ?? '');
  if (send === undefined) response.writeHead(404).end();
  else send(response);
});
const port = await listenOnLoopback(server);
process.once('SIGTERM', () => process.exit(0));
process.stdout.write(`listening on http://127.0.0.1:${port}\n`);

function senderOf({ headers, file, way }: Asset): Send {
  const flat = [...headers];
  if (way === 'memory') {
    const bytes = readFileSync(file);
    return (response) => {
      response.writeHead(200, flat);
      response.end(bytes);
    };
  }
  const body = way === 'one-read' ? sendInOneRead : sendInChunks;
  return (response) => {
    open(file, 'r', (failure, fd) => {
      if (failure) return response.destroy();
      return fstat(fd, (error, { size }) => {
        const finish = () => close(fd);
        if (error) return response.destroy();
        response.writeHead(200, flat);
        return body(response, fd, size, finish);
      });
    });
  };
}

function sendInOneRead(response: ServerResponse, fd: number, size: number, finish: () => void): void {
  const buffer = takeBuffer(size);
  read(fd, buffer, 0, size, 0, (error) => {
    if (error) response.destroy();
    response.end(buffer, () => giveBuffer(buffer));
    finish();
  });
}

/** Two buffers take turns: one is being read into while the other is being sent. */
function sendInChunks(response: ServerResponse, fd: number, size: number, finish: () => void): void {
  const idle = [takeBuffer(CHUNK), takeBuffer(CHUNK)];
  let position = 0;
  let isReading = false;
  response.once('close', finish);
  response.once('close', () => {
    for (const buffer of idle) giveBuffer(buffer);
  });
  const advance = () => {
    if (isReading || response.destroyed) return;
    if (position === size) {
      if (idle.length === 2) response.end();
      return;
    }
    const buffer = idle.pop();
    if (buffer === undefined) return;
    isReading = true;
    read(fd, buffer, 0, CHUNK, position, (error, length) => {
      isReading = false;
      if (error) return response.destroy();
      position += length;
      response.write(length === CHUNK ? buffer : buffer.subarray(0, length), () => {
        idle.push(buffer);
        advance();
      });
      return advance();
    });
  };
  advance();
}

function takeBuffer(size: number): Buffer {
  return buffers.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size);
}

function giveBuffer(buffer: Buffer): void {
  const shelf = buffers.get(buffer.length);
  if (shelf === undefined) buffers.set(buffer.length, [buffer]);
  else shelf.push(buffer);
}

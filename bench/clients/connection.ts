import { connect, type Socket } from 'node:net';
import { type HeaderList, headerValue } from '../../src/domain/headers.ts';

export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderList;
  /** Bytes of body that the head announces. */
  readonly length: number;
}

export interface ConnectionOptions {
  readonly url: string;
  readonly headers?: HeaderList;
  /** Every read goes into this buffer: the size decides how much is taken at once. */
  readonly buffer: Buffer;
  readonly onHead: (head: ResponseHead) => void;
  /** Bytes of the body, valid during the call only. False stops reading until the socket is resumed. */
  readonly onBody: (bytes: Buffer) => boolean;
  readonly onFailure: (error: Error) => void;
}

/** How long a server may send nothing, in milliseconds. */
const SILENCE = 60_000;

/**
 * Sends one GET and hands its answer on without making a buffer per read, so that the client costs little beside what it
 * measures. Only answers with status 200 and a Content-Length are understood.
 */
export function openConnection({ url, headers = [], buffer, onHead, onBody, onFailure }: ConnectionOptions): Socket {
  const { hostname, port, host, pathname } = new URL(url);
  const parser = createHeadParser(onHead);
  const onread = {
    buffer,
    callback(length: number, bytes: Uint8Array) {
      try {
        const body = parser(Buffer.from(bytes.buffer, bytes.byteOffset, length));
        return body === undefined || body.length === 0 ? true : onBody(body);
      } catch (error) {
        socket.destroy(error as Error);
        return false;
      }
    },
  };
  const socket = connect({ host: hostname, port: Number(port), onread });
  socket.setNoDelay();
  socket.setTimeout(SILENCE, () => socket.destroy(new Error(`${url} sent nothing for ${SILENCE / 1000} s`)));
  socket.once('error', onFailure);
  socket.once('close', () => onFailure(new Error(`${url} was cut off`)));
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\n${fields.join('')}\r\n`);
  return socket;
}

/** Takes what arrives; gives the part of it that belongs to the body, or undefined as long as the head is incomplete. */
function createHeadParser(onHead: (head: ResponseHead) => void): (bytes: Buffer) => Buffer | undefined {
  let pending: Buffer | undefined = Buffer.alloc(0);
  return (bytes) => {
    if (pending === undefined) return bytes;
    pending = Buffer.concat([pending, bytes]);
    const end = pending.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const body = pending.subarray(end + 4);
    onHead(parseHead(pending.toString('latin1', 0, end)));
    pending = undefined;
    return body;
  };
}

function parseHead(text: string): ResponseHead {
  const [first = '', ...lines] = text.split('\r\n');
  const headers = lines.map(
    (line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const,
  );
  const status = Number(first.split(' ')[1]);
  const length = Number(headerValue(headers, 'Content-Length') ?? Number.NaN);
  if (status !== 200 || Number.isNaN(length)) throw new Error(`unexpected answer: ${text}`);
  return { status, headers, length };
}

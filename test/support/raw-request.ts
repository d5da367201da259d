import type { ByteReader } from './byte-reader.ts';
import { type HeaderList, headerValue } from './headers.ts';

/** The first lines of an HTTP/1.1 request, as they came. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
}

/** A request body, read piece by piece. */
export interface BodyReader {
  /** At most `limit` bytes; undefined at the end of the body or of the connection. */
  read(limit: number): Promise<Buffer | undefined>;
  /** True once the announced end of the body was read. */
  readonly complete: boolean;
}

/** Reads one request head; undefined when the peer ends first. */
export async function readRequestHead(reader: ByteReader): Promise<RequestHead | undefined> {
  const head = await reader.readUntil('\r\n\r\n');
  if (head === undefined) return undefined;
  const [requestLine = '', ...lines] = head.toString('latin1').split('\r\n');
  const [method = '', target = ''] = requestLine.split(' ');
  return { method, target, headers: lines.map(headerField) };
}

/** Finds the body that a head announces: chunked, of a length, or none (RFC 9112 section 6.3). */
export function bodyReader(reader: ByteReader, headers: HeaderList): BodyReader {
  if (headerValue(headers, 'Transfer-Encoding')?.toLowerCase() === 'chunked') return chunkedBody(reader);
  return sizedBody(reader, Number(headerValue(headers, 'Content-Length') ?? 0));
}

function headerField(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

function sizedBody(reader: ByteReader, length: number): BodyReader {
  let left = length;
  return {
    read: async (limit) => {
      if (left === 0) return undefined;
      const bytes = await reader.readSome(Math.min(limit, left));
      left -= bytes?.length ?? 0;
      return bytes;
    },
    get complete() {
      return left === 0;
    },
  };
}

function chunkedBody(reader: ByteReader): BodyReader {
  let left = 0;
  let complete = false;

  async function read(limit: number): Promise<Buffer | undefined> {
    if (complete) return undefined;
    if (left === 0) {
      const size = await reader.readUntil('\r\n');
      if (size === undefined) return undefined;
      left = Number.parseInt(size.toString('latin1'), 16);
    }
    if (left === 0) {
      complete = (await reader.readUntil('\r\n')) !== undefined;
      return undefined;
    }
    const bytes = await reader.readSome(Math.min(limit, left));
    left -= bytes?.length ?? 0;
    if (left === 0) await reader.readUntil('\r\n');
    return bytes;
  }

  return {
    read,
    get complete() {
      return complete;
    },
  };
}

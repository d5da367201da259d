import type { HeaderList } from '../../src/domain/headers.ts';
import type { GeneratedBlob } from '../data/blob.ts';
import { openConnection, type ResponseHead } from './connection.ts';

export interface Download {
  readonly headers: HeaderList;
  /** From the start of the connection to the first byte of the body, in milliseconds. */
  readonly firstByte: number;
  /** From the start of the connection to the last byte of the body, in milliseconds. */
  readonly total: number;
}

const READ_BYTES = 256 * 1024;

/** Downloads a blob and compares every byte with what it has to be. @throws when it is cut, too long or different */
export function downloadBlob(url: string, blob: GeneratedBlob): Promise<Download> {
  return download(url, [], (position, bytes) => {
    if (!blob.matches(position, bytes)) throw new Error(`${url} gave wrong bytes behind byte ${position}`);
  });
}

/** Downloads into memory. */
export async function downloadBytes(
  url: string,
  headers: HeaderList = [],
): Promise<Download & { readonly bytes: Buffer }> {
  const chunks: Buffer[] = [];
  const finished = await download(url, headers, (_, bytes) => void chunks.push(Buffer.from(bytes)));
  return { ...finished, bytes: Buffer.concat(chunks) };
}

function download(
  url: string,
  headers: HeaderList,
  take: (position: number, bytes: Buffer) => void,
): Promise<Download> {
  const { promise, resolve, reject } = Promise.withResolvers<Download>();
  const started = performance.now();
  let head: ResponseHead | undefined;
  let firstByte = Number.NaN;
  let position = 0;
  const socket = openConnection({
    url,
    headers,
    buffer: Buffer.allocUnsafeSlow(READ_BYTES),
    onHead(answered) {
      head = answered;
    },
    onBody(bytes) {
      if (position === 0) firstByte = performance.now() - started;
      take(position, bytes);
      position += bytes.length;
      if (head === undefined || position < head.length) return true;
      if (position > head.length) throw new Error(`${url} gave more bytes than announced`);
      resolve({ headers: head.headers, firstByte, total: performance.now() - started });
      socket.destroy();
      return false;
    },
    onFailure: reject,
  });
  return promise;
}

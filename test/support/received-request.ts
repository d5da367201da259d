import { createHash } from 'node:crypto';
import type { HeaderList } from './headers.ts';
import type { BodyReader, RequestHead } from './raw-request.ts';

/** A request as it arrived. `body` holds its first MiB; length and digest are of all that was read so far. */
export interface ReceivedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  readonly connection: number;
  readonly body: Buffer;
  readonly bodyLength: number;
  readonly bodyDigest: string;
  /** True when the body was read to its announced end. */
  readonly bodyComplete: boolean;
}

/** A request body that remembers what was read of it. */
export interface RecordedBody {
  /** Reads up to that many bytes more, or all that is left. */
  read(limit?: number): Promise<void>;
  readonly start: Buffer;
  readonly length: number;
  readonly digest: string;
  readonly complete: boolean;
}

const KEPT_BYTES = 1024 * 1024;

/** Records a body while it is read: its first MiB, its length and its sha256. */
export function recordedBody(reader: BodyReader): RecordedBody {
  const hash = createHash('sha256');
  let start: Buffer = Buffer.alloc(0);
  let length = 0;

  async function read(limit = Number.POSITIVE_INFINITY): Promise<void> {
    const end = length + limit;
    while (length < end) {
      const piece = await reader.read(end - length);
      if (piece === undefined) return;
      hash.update(piece);
      length += piece.length;
      if (start.length < KEPT_BYTES) start = Buffer.concat([start, piece]).subarray(0, KEPT_BYTES);
    }
  }

  return {
    read,
    get start() {
      return start;
    },
    get length() {
      return length;
    },
    get digest() {
      return `sha256:${hash.copy().digest('hex')}`;
    },
    get complete() {
      return reader.complete;
    },
  };
}

/** Shows a request whose body may still be on its way. */
export function receivedRequest(head: RequestHead, connection: number, body: RecordedBody): ReceivedRequest {
  return {
    ...head,
    connection,
    get body() {
      return body.start;
    },
    get bodyLength() {
      return body.length;
    },
    get bodyDigest() {
      return body.digest;
    },
    get bodyComplete() {
      return body.complete;
    },
  };
}

import { connect } from 'node:net';

/** How a client of a crowd fared: `wrong` for any byte that is not the blob's, and for a clean end in front of its end. */
export type CrowdOutcome = 'right' | 'wrong' | 'cut';

const HEAD_END = '\r\n\r\n';

/** Downloads a blob and compares every byte as it comes, without keeping any: that is quicker than hashing it. */
export function compareDownload(origin: string, target: string, expected: Buffer): Promise<CrowdOutcome> {
  const { hostname, port } = new URL(origin);
  const { promise, resolve } = Promise.withResolvers<CrowdOutcome>();
  let head = '';
  let position = -1;
  let isWrong = false;

  function take(chunk: Buffer): void {
    let body = chunk;
    if (position < 0) {
      head += chunk.toString('latin1');
      const end = head.indexOf(HEAD_END);
      if (end < 0) return;
      body = Buffer.from(head.slice(end + HEAD_END.length), 'latin1');
      position = 0;
      isWrong = !head.startsWith('HTTP/1.1 200 ');
    }
    isWrong ||= body.compare(expected, position, position + body.length) !== 0;
    position += body.length;
  }

  const socket = connect({
    host: hostname,
    port: Number(port),
    // One buffer for each client: a crowd receives more than a garbage collector likes to see.
    onread: {
      buffer: Buffer.alloc(64 * 1024),
      callback: (length, buffer) => {
        take(Buffer.from(buffer.buffer, buffer.byteOffset, length));
        return true;
      },
    },
  });
  socket.on('error', () => undefined);
  socket.once('close', () => resolve(isWrong ? 'wrong' : position === expected.length ? 'right' : 'cut'));
  socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  return promise;
}

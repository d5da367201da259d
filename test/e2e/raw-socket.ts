import { connect } from 'node:net';
import { within } from '../support/deadline.ts';

/** What came back on a connection: the first status line's code, and everything after the first empty line. */
export interface RawAnswer {
  readonly status: number;
  readonly body: string;
}

/** Sends bytes as they are to `HOST:PORT` and reads until the server closes, which requests should ask for. */
export async function rawExchange(host: string, bytes: string | Buffer): Promise<RawAnswer> {
  const [hostname = '', port = ''] = host.split(':');
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  const closed = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    // A server that refuses may reset the connection behind its answer.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  await within('the server closes the connection', closed);
  const text = Buffer.concat(chunks).toString();
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0);
  return { status, body: text.slice(text.indexOf('\r\n\r\n') + 4) };
}

import { readFile } from 'node:fs/promises';
import { type Socket, SocketAddress } from 'node:net';

/** Bytes of a connection that the kernel holds because the client has not acknowledged them; undefined when nobody knows. */
export type SendQueues = (socket: Socket) => number | undefined;

/** Reads the queues of all connections of a local port from /proc (proc_pid_net(5)). Knows nothing on systems without it. */
export async function readSendQueues(localPort: number): Promise<SendQueues> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'latin1').catch(() => '')),
  );
  const queues = new Map(tables.flatMap((table) => parseTable(table, localPort)));
  return ({ remoteAddress = '', remotePort }) => queues.get(`${remoteAddress} ${remotePort}`);
}

// "sl local_address rem_address st tx_queue:rx_queue ...", all in hexadecimal.
const ROW = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]{8}):/gm;

/** The queues of a port by the remote address and port, as Node writes them. */
export function parseTable(table: string, localPort: number): (readonly [remote: string, bytes: number])[] {
  const port = localPort.toString(16).toUpperCase().padStart(4, '0');
  return [...table.matchAll(ROW)]
    .filter(([, local]) => local === port)
    .map(([, , address = '', remotePort = '', queue = '']) => [
      `${formatAddress(address)} ${Number.parseInt(remotePort, 16)}`,
      Number.parseInt(queue, 16),
    ]);
}

/** The kernel writes an address as words of 32 bits in the machine's order, which is little-endian wherever Node runs. */
function formatAddress(hex: string): string {
  const bytes = Buffer.from(hex, 'hex').swap32();
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}

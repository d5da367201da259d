import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { parseTable, readSendQueues } from '../../src/http/send-queues.ts';
import { eventually, within } from '../support/deadline.ts';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:1388 0200007F:C350 01 0000ABCD:00000000 01:00000014 00000000     0        0 2 2 0 20 4 30 10 -1
   2: 0100007F:C350 0100007F:1388 01 00000001:00000000 00:00000000 00000000     0        0 3 2 0 20 4 30 10 -1
`;
const TABLE6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: 0000000000000000FFFF00000100007F:1388 0000000000000000FFFF00000200007F:C351 01 00000010:00000000 01:00000014
   1: B80D0120000000000000000001000000:1388 B80D0120000000000000000002000000:C352 01 00000020:00000000 01:00000014
`;

describe('the send queues', () => {
  it('are read by remote address and port, as Node writes them', () => {
    expect(parseTable(TABLE, 5000)).toEqual([
      ['0.0.0.0 0', 0],
      ['127.0.0.2 50000', 0xabcd],
    ]);
    expect(parseTable(TABLE6, 5000)).toEqual([
      ['::ffff:127.0.0.2 50001', 16],
      ['2001:db8::2 50002', 32],
    ]);
    expect(parseTable('', 5000)).toEqual([]);
  });

  it.runIf(existsSync('/proc/net/tcp')).each(['127.0.0.1', '::1'])(
    'of connections to %s are those of the kernel',
    async (host) => {
      const server = createServer();
      server.listen(0, host);
      await within('listening', once(server, 'listening'));
      const { port } = server.address() as AddressInfo;
      const client = connect(port, host).pause();
      try {
        const [socket] = (await within('a connection', once(server, 'connection'))) as [Socket];
        // It is full of bytes when the client goes.
        socket.on('error', () => undefined);
        const queue = async () => (await readSendQueues(port))(socket);
        expect(await queue()).toBe(0);
        socket.write(Buffer.alloc(64 * 1024 * 1024));
        const queued = await eventually('a queue', async () => (await queue()) || undefined);
        expect(queued).toBeGreaterThan(1000);
        expect((await readSendQueues(port))(client)).toBeUndefined();
      } finally {
        client.destroy();
        server.close();
      }
    },
  );
});

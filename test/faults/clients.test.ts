import { createHash } from 'node:crypto';
import { type ClientRequest, request } from 'node:http';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { MIB } from '../store/support/bytes.ts';
import { eventually, within } from '../support/deadline.ts';
import { connectRaw, type RawClient } from '../support/faults/raw-client.ts';
import { type FaultRig, type RigBlob, withRig } from '../support/faults/rig.ts';
import { forEachSeed, isFullRun, type Random, scale } from '../support/faults/scale.ts';
import { withoutHeader } from '../support/headers.ts';
import { sampleImages } from '../support/images.ts';
import { readBody, respond } from '../support/script-steps.ts';

async function warm(rig: FaultRig, blob: RigBlob): Promise<RigBlob> {
  rig.serve(blob);
  await rig.pull(blob);
  await rig.stored(blob);
  return blob;
}

const get = (target: string, more = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;

describe('F65: clients that read nothing', () => {
  it('cost others nothing, and nothing is left of them when they leave', async () => {
    await withRig({}, async (rig) => {
      const blob = await warm(rig, rig.blob(16 * MIB));
      const clients = await Promise.all(Array.from({ length: scale(100, 2_000) }, () => connectRaw(rig.cache.url)));
      for (const { socket, send } of clients) {
        socket.pause();
        send(get(blob.target));
      }
      for (let hit = 0; hit < 20; hit += 1) await rig.expectAlive();
      for (const { socket } of clients) socket.destroy();
      const left = () => rig.cache.finished.filter(({ path }) => path === blob.target).length === clients.length + 1;
      await eventually('every end is noticed', async () => left() || undefined, 30_000);
    });
  });
});

describe('F66: clients that send a byte at a time', () => {
  const start = 'GET /v2/ HTTP/1.1\r\nHost: a\r\nX-Slow: ';

  it('hold up nobody else', async () => {
    await withRig({}, async (rig) => {
      const clients: RawClient[] = [];
      for (let count = 0; count < scale(100, 5_000); count += 1) clients.push(await connectRaw(rig.cache.url));
      for (const byte of start) for (const { send } of clients) send(byte);
      for (let hit = 0; hit < 20; hit += 1) await rig.expectAlive();
      for (const { socket } of clients) socket.destroy();
    });
  });

  // The server's own times: 15 s for the header fields, looked at every 5 s.
  it.runIf(isFullRun)('are told so and left within 25 seconds', async () => {
    await withRig({}, async (rig) => {
      const clients: RawClient[] = [];
      for (let count = 0; count < 500; count += 1) clients.push(await connectRaw(rig.cache.url));
      const dripping = setInterval(() => clients.forEach(({ send }) => void send('x')), 1_000);
      for (const { send } of clients) send(start);
      const ends = clients.map((client) => within('the end', client.closed, 25_000));
      await Promise.all(ends);
      clearInterval(dripping);
    });
  });
});

describe('F70: requests on one connection', () => {
  it('that come all at once are answered in order', async () => {
    await withRig({}, async (rig) => {
      const [small, large] = [await warm(rig, rig.blob(100)), await warm(rig, rig.blob(100_000))];
      const client = await connectRaw(rig.cache.url);
      for (let time = 0; time < scale(1, 10); time += 1) {
        client.send((get(small.target) + get(large.target)).repeat(50));
        for (let round = 0; round < 50; round += 1) {
          for (const { bytes } of [small, large]) expect((await client.answer()).body.equals(bytes)).toBe(true);
        }
      }
      client.socket.destroy();
    });
  });

  it('that are the last ones, and the client says so at once, are answered whole or not at all', async () => {
    await withRig({}, async (rig) => {
      const stored = await warm(rig, rig.blob(4 * MIB));
      const cold = rig.blob(4 * MIB, 'cold');
      rig.serve(cold);
      for (const blob of [stored, cold]) {
        const client = await connectRaw(rig.cache.url);
        client.socket.end(get(blob.target, 'Connection: close\r\n'));
        const answer = await client.answer().catch(() => undefined);
        expect([undefined, blob.bytes.toString('latin1')]).toContain(answer?.body.toString('latin1'));
        await within('the end', client.closed);
      }
    });
  });
});

/** An upload whose body the test writes; settles with its status. */
function startUpload(
  origin: string,
  target: string,
): { readonly outgoing: ClientRequest; readonly status: Promise<number> } {
  const { hostname, port } = new URL(origin);
  const outgoing = request({ hostname, port, path: target, method: 'PATCH', agent: false });
  const status = new Promise<number>((resolve, reject) => {
    outgoing.once('response', (answer) => {
      answer.resume().once('close', () => resolve(answer.statusCode ?? 0));
    });
    outgoing.once('error', reject);
  });
  return { outgoing, status };
}

const target = '/v2/app/blobs/uploads/1?_state=x';

describe('F71: an upload', () => {
  it('that is large, and pauses, arrives whole', async () => {
    await withRig({}, async (rig) => {
      const count = scale(64, 2_048);
      rig.upstream.onHead('PATCH', /uploads/, [readBody(), respond(202, [['Location', target]])]);
      const { outgoing, status } = startUpload(rig.cache.url, target);
      const hash = createHash('sha256');
      for (let index = 0; index < count; index += 1) {
        const piece = Buffer.alloc(MIB, index);
        hash.update(piece);
        if (!outgoing.write(piece)) await new Promise<void>((drained) => outgoing.once('drain', () => drained()));
        if (index === 2) {
          const arrived = await rig.upstream.requestArrived(({ method }) => method === 'PATCH');
          await eventually('the first bytes are there', async () => arrived.bodyLength > MIB || undefined);
          await rig.expectAlive();
        }
      }
      outgoing.end();
      expect(await within('the answer', status, 60_000)).toBe(202);
      const arrived = await rig.upstream.requestArrived(({ method }) => method === 'PATCH');
      expect([arrived.bodyLength, arrived.bodyDigest]).toEqual([count * MIB, `sha256:${hash.digest('hex')}`]);
    });
  });

  it.runIf(isFullRun)(
    'that takes more than five minutes, with a pause of one, arrives whole',
    { timeout: 400_000 },
    async () => {
      await withRig({}, async (rig) => {
        rig.upstream.onHead('PATCH', /uploads/, [readBody(), respond(202, [['Location', target]])]);
        const { outgoing, status } = startUpload(rig.cache.url, target);
        for (const pause of [60_000, ...Array.from({ length: 25 }, () => 10_000)]) {
          outgoing.write(Buffer.alloc(1000));
          await sleep(pause);
        }
        outgoing.end();
        expect(await within('the answer', status)).toBe(202);
        const arrived = await rig.upstream.requestArrived(({ method }) => method === 'PATCH');
        expect(arrived.bodyLength).toBe(26_000);
      });
    },
  );
});

/** Makes the upstream have all sample images in a repository, and gives the paths of all that belongs to them. */
function serveImages(rig: FaultRig, repository: string): string[] {
  const paths: string[] = [];
  function serve(path: string, mediaType: string, digest: string, bytes: Buffer): void {
    const fields = [['Content-Type', mediaType] as const, ['Docker-Content-Digest', digest] as const];
    const pattern = new RegExp(`^/v2/${repository}/${path}$`);
    for (const method of ['GET', 'HEAD']) rig.upstream.on(method, pattern, [respond(200, fields, bytes)]);
    paths.push(`/v2/${repository}/${path}`);
  }
  for (const image of sampleImages()) {
    for (const reference of [image.name, image.digest]) {
      serve(`manifests/${reference}`, image.mediaType, image.digest, image.bytes);
    }
    for (const { digest, mediaType, bytes } of image.blobs) serve(`blobs/${digest}`, mediaType, digest, bytes);
  }
  return [...new Set(paths)];
}

describe('F72: HEAD and GET of the same thing', () => {
  it('have the same status and header fields, cold and warm, and errors have the same status', async () => {
    await withRig({}, async (rig) => {
      const paths = Array.from({ length: scale(2, 12) }, (_, index) => serveImages(rig, `app${index}`)).flat();
      const missing = `sha256:${'0'.repeat(64)}`;
      const wrong = [
        `manifests/none`,
        `manifests/${missing}`,
        `blobs/${missing}`,
        'blobs/sha256:short',
        'manifests/a+b',
      ];
      for (const path of [...paths, ...wrong.map((rest) => `/v2/app0/${rest}`)]) {
        await rig.pull({ target: path });
        if (path.includes('/blobs/') && paths.includes(path)) {
          await eventually('it is stored', async () => {
            const { header } = await rig.pull({ target: path });
            return header('Cache-Status') === 'manifix; hit' || undefined;
          });
        }
        const [head, got] = [await rig.pull({ target: path, method: 'HEAD' }), await rig.pull({ target: path })];
        const seen = ({ status, headers }: typeof got) => ({
          status,
          headers: status === 200 ? withoutHeader(headers, 'Date') : [],
        });
        expect({ path, ...seen(head) }).toEqual({ path, ...seen(got) });
        expect(head.length).toBe(0);
      }
    });
  });
});

/** Asks for something, or only begins to, and leaves at a moment that nobody can foresee. */
async function askAndLeave(origin: string, targets: readonly string[], random: Random): Promise<void> {
  const client = await connectRaw(origin);
  const { socket } = client;
  const words = get(targets[random.below(targets.length)] ?? '');
  client.send(random.oneIn(4) ? words.slice(0, random.below(words.length)) : words);
  const enough = random.oneIn(3) ? 0 : random.below(2 * MIB);
  for (let turn = random.below(200); turn > 0 && socket.bytesRead <= enough; turn -= 1) await nextTurn();
  if (random.oneIn(2)) socket.resetAndDestroy();
  else socket.destroy();
  await client.closed;
}

describe('F97: clients that leave at any moment', () => {
  it('leave nothing behind', async () => {
    await forEachSeed(scale(1, 20), async (random) => {
      await withRig({}, async (rig) => {
        const stored = await warm(rig, rig.blob(2 * MIB, 'stored'));
        const cold = Array.from({ length: 20 }, (_, index) => rig.blob(2 * MIB, `cold ${index}`));
        for (const blob of cold) rig.serve(blob);
        const targets = [stored, ...cold].map((blob) => blob.target);
        for (let batch = 0; batch < scale(10, 25); batch += 1) {
          const leaving = Array.from({ length: 20 }, () => askAndLeave(rig.cache.url, targets, random));
          await Promise.all(leaving);
        }
        await rig.expectAlive();
      });
    });
  });
});

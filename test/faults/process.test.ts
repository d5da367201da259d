import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MIB, sample } from '../store/support/bytes.ts';
import { partNames } from '../store/support/test-store.ts';
import { barrier, eventually, within } from '../support/deadline.ts';
import { compareDownload } from '../support/faults/crowd.ts';
import { openDownload } from '../support/faults/download.ts';
import { expectSoundFiles } from '../support/faults/invariants.ts';
import { connectRaw, type RawClient } from '../support/faults/raw-client.ts';
import { isFullRun, scale } from '../support/faults/scale.ts';
import { exchange } from '../support/http.ts';
import { type LimitedManifix, startLimitedManifix } from '../support/limited-manifix.ts';
import { startManifix } from '../support/manifix.ts';
import { portIsOpen } from '../support/ports.ts';
import { run, startProcess } from '../support/process.ts';
import { head, respond, send, waitFor } from '../support/script-steps.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { toolAvailable } from '../support/tools.ts';

/** A blob that the upstream has; `gets` counts how often it was asked for it. */
function serve(upstream: ScriptedUpstream, size: number, seed: string) {
  const { bytes, digest } = sample(size, seed);
  const target = `/v2/app/blobs/${digest}`;
  const pattern = new RegExp(`^${target}$`);
  upstream.on('GET', pattern, [respond(200, [], bytes)]);
  upstream.on('HEAD', pattern, [respond(200, [], bytes)]);
  const gets = () => upstream.requests.filter((asked) => asked.method === 'GET' && pattern.test(asked.target)).length;
  return { bytes, digest, target, gets };
}

async function expectPull(url: string, blob: ReturnType<typeof serve>): Promise<void> {
  const { status, body } = await exchange(url, blob);
  expect([status, body.equals(blob.bytes)]).toEqual([200, true]);
}

/** The most memory that a process had in use, in MiB. */
async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

async function connectionsOf({ adminUrl }: LimitedManifix): Promise<number> {
  const { body } = await exchange(adminUrl, { target: '/metrics' });
  return Number(/^manifix_connections (\d+)$/m.exec(body.toString())?.[1]);
}

describe('F30: a crowd that wants one cold blob', () => {
  it('is served by one fetch, with bounded memory, and everybody gets the right bytes', {
    timeout: 7_200_000,
  }, async () => {
    await using upstream = await startScriptedUpstream();
    await using manifix = await startLimitedManifix(upstream.url, 10_000);
    const warming = serve(upstream, 8 * MIB, 'warming');
    await expectPull(manifix.url, warming);
    const before = await peakMemory(manifix.process.pid);
    const blob = serve(upstream, scale(16, 1024) * MIB, 'crowd');
    const clients = Array.from({ length: scale(100, 1_000) }, () =>
      compareDownload(manifix.url, blob.target, blob.bytes),
    );
    const outcomes = await Promise.all(clients);
    const growth = (await peakMemory(manifix.process.pid)) - before;
    process.stderr.write(`F30: ${clients.length} clients, ${blob.gets()} GET, memory +${growth.toFixed(0)} MiB\n`);
    expect(outcomes.filter((outcome) => outcome !== 'right')).toEqual([]);
    expect(blob.gets()).toBe(1);
    expect(growth).toBeLessThan(200);
    await expectPull(manifix.url, warming);
  });
});

describe.runIf(isFullRun)('F65: ten thousand clients that read nothing', () => {
  it('take less than 1 GiB together, and leave room for others and no trace', { timeout: 600_000 }, async () => {
    await using upstream = await startScriptedUpstream();
    await using manifix = await startLimitedManifix(upstream.url, 15_000);
    const blob = serve(upstream, 64 * MIB, 'stalled');
    const small = serve(upstream, 1000, 'small');
    for (const warming of [blob, small]) await expectPull(manifix.url, warming);
    const before = await peakMemory(manifix.process.pid);
    const clients: RawClient[] = [];
    while (clients.length < 10_000) {
      const some = await Promise.all(Array.from({ length: 100 }, () => connectRaw(manifix.url)));
      for (const { socket, send } of some) {
        socket.pause();
        send(`GET ${blob.target} HTTP/1.1\r\nHost: a\r\n\r\n`);
      }
      clients.push(...some);
    }
    for (let hit = 0; hit < 20; hit += 1) await expectPull(manifix.url, small);
    const growth = (await peakMemory(manifix.process.pid)) - before;
    process.stderr.write(`F65: ${clients.length} clients, memory +${growth.toFixed(0)} MiB\n`);
    expect(growth).toBeLessThan(1024);
    for (const { socket } of clients) socket.destroy();
    await eventually(
      'all connections are closed',
      async () => (await connectionsOf(manifix)) < 10 || undefined,
      60_000,
    );
    await expectPull(manifix.url, small);
  });
});

describe.runIf(isFullRun)('F39: many more cold blobs than fills at a time, and few file descriptors', () => {
  it('all come, and each is fetched once', async () => {
    await using upstream = await startScriptedUpstream();
    await using manifix = await startLimitedManifix(upstream.url, 1024);
    const blobs = Array.from({ length: 200 }, (_, index) => serve(upstream, MIB, `crowd ${index}`));
    const clients = blobs.flatMap(({ target, bytes }) => [1, 2].map(() => compareDownload(manifix.url, target, bytes)));
    expect(new Set(await Promise.all(clients))).toEqual(new Set(['right']));
    expect(new Set(blobs.map(({ gets }) => gets()))).toEqual(new Set([1]));
  });
});

describe('F95: SIGTERM while many download', () => {
  it('lets all of them finish, takes no new ones, commits nothing partial, and ends with 0', async () => {
    await using upstream = await startScriptedUpstream();
    await using cache = await temporaryDirectory();
    await using manifix = await startManifix({ upstream: upstream.url, cacheDir: cache.path });
    const gate = barrier();
    const size = scale(1, 8) * MIB;
    const blobs = Array.from({ length: scale(20, 60) }, (_, index) => sample(size, `drained ${index}`));
    for (const { digest, bytes } of blobs) {
      upstream.on('GET', new RegExp(digest), [
        head(200, [`Content-Length: ${size}`]),
        send(bytes.subarray(0, size / 2)),
        waitFor(gate),
        send(bytes.subarray(size / 2)),
      ]);
    }
    const clients = scale(2, 4);
    const wanted = blobs.flatMap((blob) => Array.from({ length: clients }, () => blob));
    const downloads = await Promise.all(
      wanted.map(({ digest }) => openDownload(manifix.url, { target: `/v2/app/blobs/${digest}` })),
    );
    const ended = manifix.terminate();
    const port = Number(new URL(manifix.url).port);
    await eventually('nobody listens', async () => ((await portIsOpen(port)) ? undefined : true));
    gate.release();
    for (const [index, download] of downloads.entries()) {
      expect([await download.ended, download.digest()]).toEqual(['whole', wanted[index]?.digest]);
    }
    expect(await within('the end', ended, 60_000)).toEqual({ code: 0, signal: null });
    await expectSoundFiles(cache.path);
    expect(await partNames(cache.path)).toEqual([]);
    await manifix.restart();
    await expectPull(manifix.url, serve(upstream, 1000, 'afterwards'));
  });
});

describe('F96: a small heap and many clients', () => {
  it('are enough for each other', async () => {
    await using upstream = await startScriptedUpstream();
    const env = { NODE_OPTIONS: `--max-old-space-size=${scale(64, 256)}` };
    await using manifix = await startManifix({ upstream: upstream.url, env });
    for (const size of [scale(8, 64), scale(4, 32)]) {
      const blob = serve(upstream, size * MIB, `heap ${size}`);
      const clients = Array.from({ length: scale(50, 500) }, () =>
        compareDownload(manifix.url, blob.target, blob.bytes),
      );
      expect(new Set(await Promise.all(clients))).toEqual(new Set(['right']));
      expect(blob.gets()).toBe(1);
    }
    const tags = Array.from({ length: scale(100, 2_000) }, (_, index) => `/v2/app${index}/tags/list`);
    upstream.on('GET', /tags/, [respond(200, [], JSON.stringify({ tags: Array.from({ length: 2_000 }, String) }))]);
    const answers = await Promise.all(tags.map((target) => exchange(manifix.url, { target })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(manifix.output()).not.toMatch(/heap|FATAL/);
  });
});

const canHideDns =
  toolAvailable('unshare') && process.getuid?.() === 0 && (await run('unshare', ['--mount', 'true'])).code === 0;
const unless = canHideDns ? '' : ': skipped, because it needs root and a mount namespace of its own';

describe.runIf(canHideDns || process.env.CI === 'true')(`F98: a name server that never answers${unless}`, () => {
  it('holds up nothing that needs no name', async ({ onTestFailed }) => {
    await using upstream = await startScriptedUpstream();
    await using home = await temporaryDirectory();
    await using nameServer = await startSilentNameServer();
    const resolver = join(home.path, 'resolv.conf');
    await writeFile(resolver, `nameserver ${nameServer.address}\noptions timeout:30 attempts:1\n`);
    const configuration = join(home.path, 'config.json');
    const upstreams = { near: { url: upstream.url }, far: { url: 'http://registry.example' } };
    const endpoints = [
      { name: 'near', upstream: 'near' },
      { name: 'far', upstream: 'far', host: 'far.test' },
    ];
    const cache = { dir: join(home.path, 'cache') };
    await writeFile(
      configuration,
      JSON.stringify({ listen: '127.0.0.1:0', admin: { listen: '127.0.0.1:0' }, cache, upstreams, endpoints }),
    );
    const script = `mount --bind ${resolver} /etc/resolv.conf && exec "$0" "$@"`;
    const command = [process.execPath, 'src/main.ts', 'serve', '--config', configuration];
    await using manifix = await startProcess('unshare', ['--mount', 'sh', '-c', script, ...command], {
      // With four threads, eight look-ups would hold all that reading files needs.
      env: { UV_THREADPOOL_SIZE: '4' },
      ready: /^listening on /m,
    });
    onTestFailed(() => void process.stderr.write(manifix.output()));
    const [, url = ''] = await manifix.outputMatches(/^listening on (\S+)$/m);
    const blob = serve(upstream, 8 * MIB, 'near');
    await expectPull(url, blob);
    const lost = Array.from({ length: 8 }, (_, index) =>
      openDownload(url, { target: `/v2/app/blobs/sha256:${String(index).repeat(64)}`, headers: { Host: 'far.test' } }),
    );
    await within('a question about a name', nameServer.asked);
    for (let time = 0; time < 20; time += 1) await expectPull(url, blob);
    const cold = serve(upstream, MIB, 'cold');
    await expectPull(url, cold);
    manifix.kill('SIGKILL');
    for (const { status } of await Promise.all(lost)) expect([0, 502, 504]).toContain(status);
  });
});

/** A socket on the port of name servers that only listens; `asked` settles with the first question. */
async function startSilentNameServer() {
  // The port has to be 53: another run of the tests has another address.
  const address = `127.53.${(process.pid >> 8) & 255}.${process.pid & 255}`;
  const socket = createSocket('udp4');
  const asked = once(socket, 'message');
  socket.bind(53, address);
  await once(socket, 'listening');
  return {
    address,
    asked,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((closed) => socket.close(closed));
    },
  };
}

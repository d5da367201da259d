import { describe, expect, it } from 'vitest';
import { MIB, sample } from '../store/support/bytes.ts';
import { partNames } from '../store/support/test-store.ts';
import { barrier, eventually, within } from '../support/deadline.ts';
import { connectRaw } from '../support/faults/raw-client.ts';
import { scale } from '../support/faults/scale.ts';
import { exchange } from '../support/http.ts';
import { startManifix } from '../support/manifix.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';

const FILLS = 4;
/** More than a flood can send in the time of the test. */
const LIMITS = { requests: '5000/s', bandwidth: '1MiB', fills: FILLS, upload: '1MiB' };

function endpointsOn(upstream: string) {
  return [
    { name: 'flood', upstream, prefix: 'flood', limits: LIMITS },
    { name: 'quiet', upstream, prefix: 'quiet' },
  ];
}

/** A registry that lets a team's new blobs wait, and knows how many it is asked for at one time. */
async function startSlowRegistry() {
  const gate = barrier();
  const held = new Set<string>();
  let running = 0;
  let most = 0;
  const registry: RegistryDouble = await startRegistryDouble({
    intercept: async (request, respondNormally) => {
      if (!held.has(request.path)) return respondNormally();
      running += 1;
      most = Math.max(most, running);
      await gate.passed;
      running -= 1;
      return respondNormally();
    },
  });
  const hold = (path: string) => held.add(path);
  return { registry, hold, release: gate.release, most: () => most, running: () => running };
}

describe('F96: a flood of one team', () => {
  it('takes neither hits nor downloads from another, and no more memory than there is', async () => {
    await using stack = new AsyncDisposableStack();
    const { registry, hold, release, most, running } = await startSlowRegistry();
    stack.use(registry);
    stack.defer(release);
    const { content, url } = registry;
    const manifix = stack.use(
      await startManifix({
        config: { upstreams: { hub: { url, timeouts: { headers: '5m' } } }, endpoints: endpointsOn('hub') },
        env: { NODE_OPTIONS: `--max-old-space-size=${scale(64, 256)}` },
      }),
    );
    const pull = (team: string, digest: string) => exchange(manifix.url, { target: `/v2/${team}/app/blobs/${digest}` });
    const warm = sample(4 * MIB, 'warm');
    content.putBlob('app', warm.bytes);
    expect((await pull('quiet', warm.digest)).status).toBe(200);

    // Readers whose bandwidth is used up, downloads that never come, and uploads that are too large.
    const readers = await Promise.all(Array.from({ length: scale(50, 500) }, () => connectRaw(manifix.url)));
    for (const reader of readers) reader.send(`GET /v2/flood/app/blobs/${warm.digest} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const readersLeave = () => {
      for (const { socket } of readers) socket.destroy();
    };
    stack.defer(readersLeave);
    const cold = Array.from({ length: scale(50, 500) }, (_, index) => sample(1_000, `cold ${index}`));
    for (const { bytes } of cold) hold(`/v2/app/blobs/${content.putBlob('app', bytes)}`);
    const downloads = cold.map(({ digest }) => pull('flood', digest));
    const large = Buffer.alloc(2 * MIB);
    const target = '/v2/flood/app/blobs/uploads/some-session';
    const uploads = Array.from({ length: scale(10, 100) }, () =>
      exchange(manifix.url, { method: 'PATCH', target, body: large }),
    );
    await eventually('as many downloads run as may', async () => running() === FILLS || undefined, 60_000);

    for (let count = 0; count < scale(20, 200); count += 1) {
      const { status, body } = await pull('quiet', warm.digest);
      expect([status, body.equals(warm.bytes)]).toEqual([200, true]);
    }
    const fresh = sample(10_000, 'fresh');
    content.putBlob('app', fresh.bytes);
    expect((await pull('quiet', fresh.digest)).body.equals(fresh.bytes)).toBe(true);
    expect([most(), running()]).toEqual([FILLS, FILLS]);
    expect((await Promise.all(uploads)).map(({ status }) => status)).toEqual(uploads.map(() => 413));

    readersLeave();
    release();
    const answers = await within('the end of the flood', Promise.all(downloads), 60_000);
    // On a slow machine some have waited for too long.
    expect(answers.filter((answer) => answer.status !== 200 && answer.status !== 429)).toEqual([]);
    expect(most()).toBe(FILLS);
    await eventually(
      'nothing is left of it',
      async () => (await partNames(manifix.cacheDir)).length === 0 || undefined,
      60_000,
    );
    expect(manifix.output()).not.toMatch(/heap|FATAL/);
  }, 300_000);
});

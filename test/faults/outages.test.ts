import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { eventually, within } from '../support/deadline.ts';
import { type FaultRig, withRig } from '../support/faults/rig.ts';
import { scale } from '../support/faults/scale.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';
import { startProcess } from '../support/process.ts';
import { hang, respond, type Step } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';

const image = sampleImage('oci-amd64');
const tag = '/v2/app/manifests/latest';
const found = respond(200, [['Content-Type', image.mediaType]], image.bytes);

/** Lets the registry do the same to all that matches, which is `healthy` at first. */
function mood({ upstream }: FaultRig, pattern: RegExp, healthy: Step): (step: Step) => void {
  let now = healthy;
  for (const method of ['GET', 'HEAD']) upstream.on(method, pattern, [(context) => now(context)]);
  return (step) => {
    now = step;
  };
}

describe('F12: a registry that accepts and never answers', () => {
  it('lets one request of a pull wait, and none of what is cached after it', async () => {
    await withRig({ tagTtl: 0, timeouts: { revalidate: 200 } }, async (rig) => {
      const blob = rig.blob(1_000);
      const pull = ['/v2/', tag, `/v2/app/manifests/${image.digest}`, blob.target];
      const moods = [
        mood(rig, blob.pattern, respond(200, [], blob.bytes)),
        mood(rig, /^\/v2\/(?:app\/manifests\/.*)?$/, found),
      ];
      for (const target of ['/v2/', tag, blob.target]) await rig.pull({ target });
      await rig.stored(blob);
      // Nobody's right to read is remembered any more, so that each request has a question.
      rig.clock.jump(61_000);
      const before = rig.upstream.requests.length;
      for (const set of moods) set(hang());
      for (const target of pull) {
        expect((await rig.pull({ target })).status).toBe(200);
        // The clock of the rig stands still while the first one waits.
        rig.clock.jump(201);
      }
      expect(rig.upstream.requests.length - before).toBe(1);
    });
  });

  it('or lets no connection stand, fails what is not known in time and nothing else', async () => {
    const upstream = await startScriptedUpstream();
    upstream.on('GET', /latest/, [found]);
    const timeouts = { connect: '5s', headers: '5s' };
    const config = { upstreams: { hub: { url: upstream.url, timeouts } }, cache: { tagTtl: '0s' } };
    await using manifix = await startManifix({ config });
    expect((await exchange(manifix.url, { target: tag })).status).toBe(200);
    await upstream.stop();
    await using _ = await blackHole(Number(new URL(upstream.url).port));
    const unknown = await exchange(manifix.url, { target: '/v2/app/manifests/other' });
    expect([unknown.status, unknown.body.toString()]).toEqual([504, expect.stringContaining('in time')]);
    for (let hit = 0; hit < 20; hit += 1) {
      expect((await exchange(manifix.url, { target: tag })).header('Cache-Status')).toContain('fwd=stale');
    }
  });

  /** A server that is stopped while its queue for connections is full: the kernel drops each further SYN. */
  async function blackHole(port: number): Promise<AsyncDisposable> {
    const script = `require('node:net').createServer().listen({ host: '127.0.0.1', port: ${port}, backlog: 1 }, () => console.log('listening'))`;
    const server = await startProcess(process.execPath, ['-e', script], { ready: /listening/ });
    server.kill('SIGSTOP');
    const sockets = Array.from({ length: 8 }, () => connect({ host: '127.0.0.1', port }).on('error', () => {}));
    await within('a full queue', Promise.all(sockets.slice(0, 2).map((socket) => once(socket, 'connect'))));
    return {
      async [Symbol.asyncDispose]() {
        for (const socket of sockets) socket.destroy();
        server.kill('SIGCONT');
        await server.stop();
      },
    };
  }
});

describe('F13: a registry that answers', () => {
  const outages: readonly (readonly [string, Step])[] = [
    ['429 and wants to be left alone for an hour', respond(429, [['Retry-After', '3600']])],
    ['429 and does not say for how long', respond(429)],
    ['500', respond(500)],
    ['502', respond(502)],
    ['503 and wants to be left alone for an hour', respond(503, [['Retry-After', '3600']])],
  ];

  it.each(outages)(
    '%s is asked a few times in a minute, however many pull, and they get what is known',
    async (_, step) => {
      await withRig({ tagTtl: 0 }, async (rig) => {
        const set = mood(rig, /latest/, found);
        expect((await rig.pull({ target: tag })).status).toBe(200);
        rig.clock.jump(61_000);
        const before = rig.upstream.requests.length;
        set(step);
        for (let second = 0; second < 60; second += 1) {
          rig.clock.jump(1_000);
          const pulls = await Promise.all(Array.from({ length: scale(3, 17) }, () => rig.pull({ target: tag })));
          for (const { status, digest, header } of pulls) {
            expect([status, digest()]).toEqual([200, image.digest]);
            expect(header('Cache-Status')).toContain('fwd=stale');
          }
        }
        // Three to be sure, then after 1, 2, 4 and 8 seconds, and then every ten.
        expect(rig.upstream.requests.length - before).toBeLessThanOrEqual(12);
        set(found);
        await eventually('it answers again', async () => {
          // A question of before may have been answered after the last jump.
          rig.clock.jump(10_000);
          const { header } = await rig.pull({ target: tag });
          return header('Cache-Status')?.includes('stale') === false || undefined;
        });
      });
    },
  );
});

import { once } from 'node:events';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { barrier, within } from '../support/deadline.ts';
import { errorAnswer } from '../support/fake-upstream.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';
import { createScene } from '../support/scene.ts';
import { drip, hang, respond } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';

const challenge = 'Basic realm="registry"';
const ping = { target: '/v2/' };

it('says that this is a registry while nobody answers who never said otherwise', async () => {
  await using manifix = await startManifix({ upstream: 'http://127.0.0.1:1' });
  const answer = await exchange(manifix.url, ping);
  expect(answer.status).toBe(200);
  expect(answer.header('Docker-Distribution-Api-Version')).toBe('registry/2.0');
  expect(answer.header('Cache-Status')).toContain('fwd=stale');
});

it('asks for the same credentials as the registry before it failed', async () => {
  await using registry = await startScriptedUpstream();
  registry.once('GET', /./, [respond(401, [['WWW-Authenticate', challenge]])]);
  registry.on('GET', /./, [respond(503)]);
  await using manifix = await startManifix({ upstream: registry.url });
  for (const _ of ['healthy', 'failing']) {
    const answer = await exchange(manifix.url, ping);
    expect(answer.status).toBe(401);
    expect(answer.header('WWW-Authenticate')).toBe(challenge);
  }
});

it('waits for a slow registry to ask for credentials', async () => {
  await using registry = await startScriptedUpstream();
  const refusal = `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: ${challenge}\r\nContent-Length: 0\r\n\r\n`;
  registry.on('GET', /./, [drip(Buffer.from(refusal), 20, 5)]);
  const upstreams = { slow: { url: registry.url, timeouts: { revalidate: '1ms' } } };
  await using manifix = await startManifix({ config: { upstreams } });
  expect((await exchange(manifix.url, ping)).status).toBe(401);
});

it('gives nobody a realm that gets no credentials, also not from memory', async () => {
  await using registry = await startScriptedUpstream();
  const realm = 'Bearer realm="http://user:secret@127.0.0.1:1/token",service="registry"';
  registry.once('GET', /./, [respond(401, [['WWW-Authenticate', realm]])]);
  registry.on('GET', /./, [respond(503)]);
  await using manifix = await startManifix({ upstream: registry.url });
  for (const _ of ['healthy', 'failing']) {
    const answer = await exchange(manifix.url, ping);
    expect(answer.status).toBe(502);
    expect(answer.header('WWW-Authenticate')).toBeUndefined();
  }
});

it.each([
  ['asked for these credentials', respond(401, [['WWW-Authenticate', challenge]]), 401, challenge],
  ['asked for nothing', respond(200), 200, undefined],
])(
  'does not wait for a registry that keeps silent after a restart and %s before',
  async (_, before, status, wanted) => {
    await using registry = await startScriptedUpstream();
    registry.once('GET', /./, [before]);
    registry.on('GET', /./, [hang()]);
    // Whoever waited for the registry would wait for longer than a test may take.
    const timeouts = { revalidate: '1ms', headers: '1h' };
    await using manifix = await startManifix({ config: { upstreams: { hub: { url: registry.url, timeouts } } } });
    expect((await exchange(manifix.url, ping)).status).toBe(status);
    await manifix.restart();
    const answer = await exchange(manifix.url, ping);
    expect([answer.status, answer.header('WWW-Authenticate')]).toEqual([status, wanted]);
    expect(answer.header('Cache-Status')).toContain('fwd=stale');
  },
);

describe('a registry that takes its time', () => {
  /** A registry whose answer to `/v2/` comes when the test says so, and whoever can do without it waits for a millisecond. */
  function slowly(answer = errorAnswer(401, 'UNAUTHORIZED', 'no', [['WWW-Authenticate', challenge]])) {
    const scene = createScene();
    const gate = barrier();
    const script = async () => {
      await gate.passed;
      return answer;
    };
    scene.upstream.on('GET', '/v2/', script);
    scene.upstream.expected = { ask: true, patience: 1 };
    return { ...scene, gate };
  }

  it('is not waited for where manifix has an account of its own: its clients need nothing', async () => {
    const { ask, upstream, gate } = slowly();
    Object.assign(upstream, { authority: 'own' });
    expect(await ask('GET', '/v2/')).toMatchObject({ status: 200, cache: 'stale' });
    gate.release();
  });

  it('is not waited for by callers without credentials where one of them was served before', async () => {
    const { ask, upstream, services, gate } = slowly();
    const image = sampleImage('oci-amd64');
    upstream.serve('app', '1', image.bytes, image.mediaType);
    await ask('GET', '/v2/app/manifests/1');
    expect(services.facts.demands('registry')).toEqual([]);
    expect(await ask('GET', '/v2/')).toMatchObject({ status: 200, cache: 'stale' });
    gate.release();
  });

  it('is waited for by whoever shows credentials, which may be wrong', async () => {
    const { ask, services, gate } = slowly();
    services.facts.putDemands('registry', []);
    const answer = ask('GET', '/v2/', [['Authorization', 'Basic YTph']]);
    gate.release();
    expect(await answer).toMatchObject({ status: 401, cache: 'bypass' });
  });

  it('is believed by the next who asks, although nobody waited for its answer, whose body is let go', async () => {
    const body = Readable.from(['{}'], { objectMode: false });
    const { ask, services, gate } = slowly({ status: 200, body });
    services.facts.putDemands('registry', [challenge]);
    expect(await ask('GET', '/v2/')).toMatchObject({ status: 401, cache: 'stale' });
    const closed = once(body, 'close');
    gate.release();
    await within('the end of the body', closed);
    expect(services.facts.demands('registry')).toEqual([]);
  });
});

it.each<[string, number, string | undefined]>([
  ['a realm with a password in it', 401, 'Bearer realm="https://user:secret@a.example/token"'],
  ['a realm with a password in it, without a scheme', 401, 'Bearer realm="//user:secret@a.example/token"'],
  ['no word of what it wants', 401, undefined],
  ['a failure', 500, challenge],
])('nothing is kept of a registry that answers with %s', async (_, status, wanted) => {
  const { ask, upstream, services } = createScene();
  const headers: HeaderList = wanted === undefined ? [] : [['WWW-Authenticate', wanted]];
  upstream.on('GET', '/v2/', errorAnswer(status, 'UNAUTHORIZED', 'no', headers));
  await ask('GET', '/v2/');
  expect(services.facts.demands('registry')).toBeUndefined();
});

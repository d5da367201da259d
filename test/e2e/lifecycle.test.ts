import { writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { barrier, eventually, within } from '../support/deadline.ts';
import { exchange } from '../support/http.ts';
import { sampleImage, sha256 } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';
import { portIsOpen } from '../support/ports.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';
import { head, respond, send, waitFor } from '../support/script-steps.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { freshBytes, openAnswer } from './streaming-client.ts';

const bytes = freshBytes(200_000);
const digest = sha256(bytes);
const path = `/v2/app/blobs/${digest}`;

/** Lets the registry hold back the second half of the blob until the barrier is released. */
function halveAt(upstream: ScriptedUpstream, end: ReturnType<typeof barrier>): void {
  upstream.once('GET', new RegExp(digest), [
    head(200, [`Content-Length: ${bytes.length}`]),
    send(bytes.subarray(0, 100_000)),
    waitFor(end),
    send(bytes.subarray(100_000)),
  ]);
}

describe('SIGTERM', () => {
  let upstream: ScriptedUpstream;

  beforeAll(async () => {
    upstream = await startScriptedUpstream();
  });
  afterAll(() => upstream.stop());

  it('lets a running download end, takes no new connection, says so to load balancers, and exits with 0', async () => {
    const end = barrier();
    halveAt(upstream, end);
    await using manifix = await startManifix({ upstream: upstream.url });
    const answer = await openAnswer(`${manifix.url}${path}`);
    await answer.received(1);
    const exit = manifix.terminate();
    await eventually('readiness says that it is stopping', async () => {
      const ready = await exchange(manifix.adminUrl, { target: '/readyz' });
      return (ready.status === 503 && ready.body.toString().includes('stopping')) || undefined;
    });
    expect(await portIsOpen(Number(new URL(manifix.url).port))).toBe(false);
    end.release();
    expect(sha256(await answer.whole())).toBe(digest);
    expect(await within('the end of the process', exit)).toEqual({ code: 0, signal: null });
  });

  it('does not wait for idle connections that clients keep open', async () => {
    await using manifix = await startManifix({ upstream: upstream.url, env: { MANIFIX_DRAIN_TIMEOUT: '10m' } });
    const agent = new Agent({ keepAlive: true });
    await new Promise<void>((resolve) => {
      get(`${manifix.url}/v2/`, { agent }, (answer) => answer.resume().on('end', resolve));
    });
    expect(await within('the end of the process', manifix.terminate())).toEqual({ code: 0, signal: null });
    agent.destroy();
  });

  it('cuts what takes longer than drainTimeout', async () => {
    halveAt(upstream, barrier());
    const env = { MANIFIX_DRAIN_TIMEOUT: '100ms' };
    await using manifix = await startManifix({ upstream: upstream.url, env });
    const answer = await openAnswer(`${manifix.url}${path}`);
    await answer.received(1);
    expect(await within('the end of the process', manifix.terminate())).toEqual({ code: 0, signal: null });
    await expect(answer.whole()).rejects.toThrow('the body was cut off');
  });
});

describe('SIGHUP', () => {
  let first: RegistryDouble;
  let second: RegistryDouble;

  beforeAll(async () => {
    [first, second] = await Promise.all([startRegistryDouble(), startRegistryDouble()]);
    first.content.addImage('app', '1', sampleImage('index'));
    second.content.addImage('app', '1', sampleImage('list'));
  });
  afterAll(() => Promise.all([first.stop(), second.stop()]));

  it('takes a new configuration into use, keeps the running one when the file is wrong, and cuts nothing', async () => {
    await using scripted = await startScriptedUpstream();
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'config.yaml');
    const configure = (content: object) => writeFile(file, stringify({ cache: { tagTtl: '0s' }, ...content }));
    await configure({ upstreams: { registry: { url: scripted.url } } });
    await using manifix = await startManifix({ args: ['--config', file] });
    const pulled = async () => sha256((await exchange(manifix.url, { target: '/v2/app/manifests/1' })).body);

    const end = barrier();
    halveAt(scripted, end);
    const running = await openAnswer(`${manifix.url}${path}`);
    await running.received(1);
    await configure({ upstreams: { first: { url: first.url } } });
    manifix.signal('SIGHUP');
    await manifix.outputMatches(/^reload: done$/m);
    expect(await pulled()).toBe(sampleImage('index').digest);
    end.release();
    expect(sha256(await running.whole())).toBe(digest);

    await writeFile(file, 'upstreams: { first: { ulr: "http://127.0.0.1:1" } }');
    manifix.signal('SIGHUP');
    await manifix.outputMatches(
      /^reload: the running configuration stays, because of:\n(?:.*\n)*?upstreams\.first\.ulr: /m,
    );
    expect(await pulled()).toBe(sampleImage('index').digest);

    await configure({ upstreams: { second: { url: second.url } }, listen: '127.0.0.1:1', log: { format: 'pretty' } });
    manifix.signal('SIGHUP');
    await manifix.outputMatches(/^reload: done; these need a restart: .*log\.format/m);
    expect(await pulled()).toBe(sampleImage('list').digest);
  });
});

describe('the start', () => {
  it('prints where clients and operators connect', async () => {
    await using upstream = await startScriptedUpstream();
    await using manifix = await startManifix({ upstream: upstream.url });
    expect(manifix.output()).toMatch(/^admin on http:\/\/127\.0\.0\.1:\d+$/m);
    expect(manifix.output()).toMatch(/^listening on http:\/\/127\.0\.0\.1:\d+$/m);
    upstream.on('GET', /^\/v2\/$/, [respond(200, [['Content-Type', 'application/json']], '{}')]);
    expect((await exchange(manifix.url, { target: '/v2/' })).status).toBe(200);
  });

  it('needs no registry: it listens while there is none, and says so to clients', async () => {
    await using manifix = await startManifix({ upstream: 'http://127.0.0.1:1' });
    expect((await exchange(manifix.adminUrl, { target: '/readyz' })).status).toBe(200);
    const answer = await exchange(manifix.url, { target: '/v2/app/manifests/1' });
    expect([answer.status, answer.body.toString()]).toEqual([502, expect.stringContaining('"code":"UNAVAILABLE"')]);
  });
});

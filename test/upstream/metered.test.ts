import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { metered } from '../../src/upstream/metered.ts';
import { createRegistry } from '../../src/upstream/registry.ts';
import { type Arrivals, arrivals } from '../support/arrivals.ts';
import { respond } from '../support/script-steps.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';

type Spent = readonly [repository: string, requests: number, bytes: number];

let registry: ScriptedUpstream;
let client: ReturnType<typeof metered>;
let spent: Arrivals<Spent>;

beforeEach(async () => {
  registry = await startScriptedUpstream();
  spent = arrivals();
  client = metered(createRegistry({ name: 'hub', urls: [registry.url] }), (...use) => spent.add(use));
});
afterEach(async () => {
  await client.close();
  await registry.stop();
});

const ask = (method: 'GET' | 'HEAD' | 'PUT', path: string, body?: Uint8Array) =>
  client.request({ method, path, headers: [], ...(body === undefined ? {} : { body }) });

describe('a metered registry', () => {
  it('counts an answer, and the bytes of its body when they are here', async () => {
    registry.on('GET', /./, [respond(200, [], 'x'.repeat(300_000))]);
    const answer = await ask('GET', '/v2/team/app/manifests/1');
    expect(spent.all).toEqual([['team/app', 1, 0]]);
    await buffer(answer.body);
    await spent.first('the bytes', ([, , bytes]) => bytes > 0);
    expect(spent.all.slice(1)).toEqual([['team/app', 0, 300_000]]);
  });

  it('counts what it sends', async () => {
    registry.on('PUT', /./, [respond(201, [], '')]);
    (await ask('PUT', '/v2/team/app/manifests/1', Buffer.alloc(10))).body.resume();
    expect(spent.all[0]).toEqual(['team/app', 1, 10]);
  });

  it('books what the registry refuses on no repository', async () => {
    registry.on('HEAD', /./, [respond(404, [], '')]);
    (await ask('HEAD', '/v2/made/up/manifests/1')).body.resume();
    expect(spent.all[0]).toEqual(['', 1, 0]);
  });

  it('counts nothing when nobody answers', async () => {
    const nobody = metered(createRegistry({ name: 'hub', urls: ['http://127.0.0.1:1'] }), (...use) => spent.add(use));
    await expect(nobody.request({ method: 'GET', path: '/v2/team/app/manifests/1', headers: [] })).rejects.toThrow();
    expect(spent.all).toEqual([]);
    await nobody.close();
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { rateLimit429 } from '../../src/fixes/rate-limit-429.ts';
import { defaultSetting } from '../../src/fixes/run.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';
import { respond } from '../support/script-steps.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';

const image = sampleImage('oci-amd64');
const layer = Buffer.from('a layer behind a limit');
const manifest = '/v2/team/app/manifests/latest';
const blob = `/v2/team/app/blobs/${digestOf(layer)}`;
const json: [string, string] = ['Content-Type', 'application/json'];
const limited = respond(429, [['Retry-After', '1'], json], '{"errors":[{"code":"TOOMANYREQUESTS","message":"slow"}]}');

let registry: ScriptedUpstream;

beforeEach(async () => {
  registry = await startScriptedUpstream();
});

afterEach(async () => registry.stop());

function limitTwice(target: RegExp, bytes: Uint8Array, type: string): void {
  for (const _ of [1, 2]) registry.once('GET', target, [limited]);
  registry.on('GET', target, [respond(200, [['Content-Type', type]], Buffer.from(bytes))]);
}

describe('rate-limit-429', () => {
  it.each([
    ['a manifest', manifest, image.bytes, image.mediaType],
    ['a blob', blob, layer, 'application/octet-stream'],
  ])('waits for the registry, which is asked three times for %s', async (_, target, bytes, type) => {
    limitTwice(/./, bytes, type);
    await using manifix = await startManifix({ upstream: registry.url });
    const clients = await Promise.all(Array.from({ length: 5 }, () => exchange(manifix.url, { target })));
    for (const answer of clients) {
      expect(answer.status).toBe(200);
      expect(answer.body.equals(Buffer.from(bytes))).toBe(true);
    }
    expect(registry.requests.filter((request) => request.method === 'GET')).toHaveLength(3);
    expect(clients.map((answer) => answer.header('Manifix-Fixes')).join()).toContain('rate-limit-429');
  });

  it('passes the limit on when it is off, with its code and Retry-After', async () => {
    limitTwice(/./, image.bytes, image.mediaType);
    const config = { upstreams: { hub: { url: registry.url } }, fixes: { 'rate-limit-429': 'off' } };
    await using manifix = await startManifix({ config });
    const answer = await exchange(manifix.url, { target: manifest });
    expect(answer).toMatchObject({ status: 429 });
    expect(answer.header('Retry-After')).toBe('1');
    expect(JSON.parse(answer.body.toString()).errors[0]).toMatchObject({ code: 'TOOMANYREQUESTS' });
    expect(registry.requests).toHaveLength(1);
  });

  it('asks a registry without limits once, and changes nothing', async () => {
    registry.on('GET', /./, [respond(200, [['Content-Type', image.mediaType]], Buffer.from(image.bytes))]);
    await using manifix = await startManifix({ upstream: registry.url });
    const answer = await exchange(manifix.url, { target: manifest });
    expect(answer.status).toBe(200);
    expect(answer.header('Manifix-Fixes') ?? '').not.toContain('rate-limit-429');
    expect(registry.requests).toHaveLength(1);
  });

  it('is on', () => {
    expect(defaultSetting(rateLimit429)).toEqual({ mode: 'on', options: {} });
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { redirectAuthLeak400 } from '../../src/fixes/redirect-auth-leak-400.ts';
import { defaultSetting } from '../../src/fixes/run.ts';
import { headerValue } from '../support/headers.ts';
import { exchange } from '../support/http.ts';
import { startManifix } from '../support/manifix.ts';
import { respond } from '../support/script-steps.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';

const layer = Buffer.from('a layer that lies in another place');
const target = `/v2/team/app/blobs/${digestOf(layer)}`;
const credentials = { Authorization: 'Bearer secret', Cookie: 'session=secret' };

let registry: ScriptedUpstream;
let storage: ScriptedUpstream;

beforeEach(async () => {
  registry = await startScriptedUpstream();
  storage = await startScriptedUpstream();
  const presigned: [string, string][] = [['Location', `${storage.url}/layer?X-Amz-Signature=abc`]];
  registry.on('GET', /\/blobs\//, [respond(307, presigned)]);
  registry.on('HEAD', /\/blobs\//, [respond(307, presigned)]);
  storage.on('GET', /^\/layer/, [respond(200, [], layer)]);
  storage.on('HEAD', /^\/layer/, [respond(200, [['Content-Length', String(layer.length)]])]);
});

afterEach(async () => {
  await registry.stop();
  await storage.stop();
});

describe('redirect-auth-leak-400', () => {
  it('follows the redirect of a blob and hands the client the bytes', async () => {
    await using manifix = await startManifix({ upstream: registry.url });
    const answer = await exchange(manifix.url, { target, headers: credentials });
    expect(answer.status).toBe(200);
    expect(answer.body.equals(layer)).toBe(true);
    expect(answer.header('Manifix-Fixes')).toContain('redirect-auth-leak-400');
  });

  it('leaves the redirect to the client when it is off', async () => {
    const fixes = { 'redirect-auth-leak-400': 'off' };
    const upstreams = { hub: { url: registry.url } };
    await using manifix = await startManifix({ config: { upstreams, fixes } });
    const answer = await exchange(manifix.url, { target, headers: credentials });
    expect(answer.status).toBe(307);
    expect(answer.header('Location')).toBe(`${storage.url}/layer?X-Amz-Signature=abc`);
    expect(storage.requests).toEqual([]);
  });

  it('is on', () => {
    expect(defaultSetting(redirectAuthLeak400)).toEqual({ mode: 'on', options: {} });
  });
});

describe('credential-leakage', () => {
  it('gives the storage on another origin none of the credentials that the registry gets', async () => {
    await using manifix = await startManifix({ upstream: registry.url });
    await exchange(manifix.url, { target, headers: credentials });
    expect(headerValue(registry.requests[0]?.headers ?? [], 'Authorization')).toBe('Bearer secret');
    expect(storage.requests.length).toBeGreaterThan(0);
    for (const { headers } of storage.requests) {
      expect(headerValue(headers, 'Authorization')).toBeUndefined();
      expect(headerValue(headers, 'Cookie')).toBeUndefined();
    }
  });

  it('writes neither credentials nor presigned queries into the log', async () => {
    await using manifix = await startManifix({ upstream: registry.url });
    await exchange(manifix.url, { target, headers: credentials });
    await manifix.terminate();
    expect(manifix.output()).toContain(target);
    expect(manifix.output()).not.toMatch(/secret|X-Amz-Signature/);
  });
});

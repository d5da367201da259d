import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UpstreamCredentials } from '../../src/domain/credentials.ts';
import { type HeaderList, headerValue } from '../../src/domain/headers.ts';
import type { GuardedClient } from '../../src/upstream/guard.ts';
import { createRegistry } from '../../src/upstream/registry.ts';
import { startHttpProxy, type TestProxy } from '../support/http-proxy.ts';
import { head, respond, type Step } from '../support/script-steps.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { startTokenServer, type TokenServer } from '../support/token-server.ts';

// Names of different sites, which only the proxy knows.
const HUB = 'http://hub.example.com';
const MIRROR = 'http://mirror.example.net';
const SISTER = 'http://sister.example.com';
const token: HeaderList = [['Authorization', 'Bearer of-the-hub']];
const password: HeaderList = [['Authorization', 'Basic ZGV2OnB3']];
const basicChallenge: Step = respond(401, [['WWW-Authenticate', 'Basic realm="mirror"']]);

let hub: ScriptedUpstream;
let mirror: ScriptedUpstream;
let tokens: TokenServer;
let proxy: TestProxy;
let clients: GuardedClient[];

beforeEach(async () => {
  hub = await startScriptedUpstream();
  mirror = await startScriptedUpstream();
  tokens = await startTokenServer({ users: { robot: 'hunter2' } });
  const routes = {
    'hub.example.com:80': hub.host,
    'mirror.example.net:80': mirror.host,
    'sister.example.com:80': mirror.host,
    'auth.example.net:80': new URL(tokens.url).host,
  };
  proxy = await startHttpProxy({ routes });
  clients = [];
  hub.on('GET', /./, [respond(503)]);
});

afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all([hub, mirror, tokens].map((server) => server.stop()));
  await proxy[Symbol.asyncDispose]();
});

/** The mirror gives its content to who has a token of its own service. */
function mirrorWantsTokens(refusal: Step = challenged): void {
  mirror.on('GET', /^\/v2\/$/, [challenged]);
  mirror.on('GET', /./, [(context) => (hasOwnToken(context.headers) ? respond(200, [], 'copy') : refusal)(context)]);
}
const challenged = head(401, [
  'WWW-Authenticate: Bearer realm="http://auth.example.net/token",service="registry.test"',
  'Content-Length: 0',
]);
const hasOwnToken = (headers: HeaderList) => headerValue(headers, 'Authorization')?.startsWith('Bearer ey') === true;

function ask(headers: HeaderList, second = MIRROR, credentials?: UpstreamCredentials) {
  const registry = createRegistry({
    name: 'hub',
    urls: [HUB, second],
    proxy: { origin: proxy.url },
    ...(credentials && { credentials }),
  });
  clients.push(registry);
  return registry.request({ method: 'GET', path: '/v2/app/manifests/1', headers });
}

const shownToMirror = () => mirror.requests.map((request) => headerValue(request.headers, 'Authorization'));

describe('a URL on another site than the first', () => {
  it.each([
    ['a token of the first', token],
    ['nothing', []],
  ])('is asked as nobody for a caller with %s, with a token of its own service', async (_, headers) => {
    mirrorWantsTokens();
    const { status, body } = await ask(headers);
    expect([status, await text(body)]).toEqual([200, 'copy']);
    expect(shownToMirror()).not.toContain('Bearer of-the-hub');
    expect(tokens.questions.map(({ user }) => user)).toEqual(['']);
  });

  it.each([401, 403, 404])(
    'that hides private content from nobody by %i leaves the reason of the first',
    async (status) => {
      mirror.on('GET', /^\/v2\/$/, [challenged]);
      mirror.on('GET', /./, [respond(status)]);
      expect((await ask(token)).status).toBe(503);
      expect(shownToMirror()).not.toContain('Bearer of-the-hub');
    },
  );

  it('that hides content is named when the first gives no answer at all', async () => {
    await hub.stop();
    mirror.on('GET', /./, [respond(404)]);
    await expect(ask(token)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(HUB),
      explanation: expect.stringContaining(`${MIRROR}, where manifix has to ask as nobody`),
    });
  });

  it('that wants a password gets that of the caller, and its refusal is the answer', async () => {
    mirror.on('GET', /./, [
      (context) =>
        (headerValue(context.headers, 'Authorization') === 'Basic ZGV2OnB3' ? respond(404) : basicChallenge)(context),
    ]);
    expect((await ask(password)).status).toBe(404);
    const refused = await ask([]);
    expect([refused.status, headerValue(refused.headers, 'WWW-Authenticate')]).toEqual([401, 'Basic realm="mirror"']);
  });

  it('that wants tokens is asked as nobody for a caller with a password', async () => {
    mirrorWantsTokens();
    expect((await ask(password)).status).toBe(200);
    expect(tokens.questions.map(({ user }) => user)).toEqual(['']);
  });

  it('is asked with the account of manifix where it has one, at its own token service', async () => {
    mirrorWantsTokens();
    const login: UpstreamCredentials = { kind: 'login', username: 'robot', password: 'hunter2' };
    expect((await ask(token, MIRROR, login)).status).toBe(200);
    expect(tokens.questions.map(({ user }) => user)).toEqual(['robot']);
  });
});

it('a URL on the same site gets the token of the caller, and its refusal is the answer', async () => {
  mirror.on('GET', /./, [respond(404)]);
  expect((await ask(token, SISTER)).status).toBe(404);
  expect(shownToMirror()).toEqual(['Bearer of-the-hub']);
});

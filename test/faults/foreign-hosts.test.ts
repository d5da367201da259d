import type { LookupAddress } from 'node:dns';
import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import { headerValue } from '../../src/domain/headers.ts';
import { createEndpointRoutes } from '../../src/http/endpoint-routes.ts';
import { createTokenEndpoint } from '../../src/http/token-endpoint.ts';
import { createTokenMemory } from '../../src/http/token-memory.ts';
import { createChallenges } from '../../src/pipeline/challenges.ts';
import { createDispatch } from '../../src/pipeline/dispatch.ts';
import type { AddressCheck } from '../../src/pipeline/ports-upstream.ts';
import { createAddressCheck } from '../../src/upstream/address-check.ts';
import { startEdge } from '../http/edge.ts';
import { errorAnswer, fakeUpstream } from '../support/fake-upstream.ts';
import { fakeServices } from '../support/fakes.ts';
import { exchange } from '../support/http.ts';
import { sha256 } from '../support/images.ts';
import { fakeEndpoint } from '../support/scene.ts';
import { respond } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';
import { startTokenServer } from '../support/token-server.ts';

const login = `Basic ${Buffer.from('user:secret').toString('base64')}`;

/** Where a registry of the internet may lead. It is reached at this machine; every other name means this machine, too. */
function addressesOf(own: string, allowed: readonly string[]): AddressCheck {
  const here: LookupAddress[] = [{ address: '127.0.0.1', family: 4 }];
  const check = createAddressCheck(own, allowed, (hostname, _, done) =>
    done(null, hostname === own ? [{ address: '93.184.216.34', family: 4 }] : here),
  );
  return {
    allowsHost: check.allowsHost,
    lookup: (hostname, options, done) => (hostname === own ? done(null, here) : check.lookup(hostname, options, done)),
  };
}

describe('F23: an upload whose Location leads to another host', () => {
  /** What a client gets that opens an upload and sends its content to where it is told. */
  async function push(host: string, allowed: readonly string[]) {
    await using server = await startScriptedUpstream();
    const { port } = new URL(server.url);
    server.on('POST', /^\/v2\/app\//, [respond(202, [['Location', `http://${host}:${port}/store?signature=s3cr3t`]])]);
    server.on('PUT', /^\/store/, [respond(201)]);
    const upstream = { ...fakeUpstream(), addresses: addressesOf('hub.example.com', allowed) };
    const endpoint = fakeEndpoint({ ...upstream, origin: `http://hub.example.com:${port}` });
    const endpoints = createEndpointRoutes([{ endpoint, ns: [], isDefault: true }]);
    await using edge = await startEdge(createDispatch(fakeServices()), { endpoints });
    const headers = { Authorization: login };
    const opened = await exchange(edge.url, { method: 'POST', target: '/v2/app/blobs/uploads/', headers });
    const location = opened.header('Location') ?? '';
    const target = `${location.replace(edge.url, '')}&digest=${sha256('content')}`;
    const answer = await exchange(edge.url, { method: 'PUT', target, headers, body: 'content' });
    const arrived = server.requests.filter(({ method }) => method === 'PUT');
    return { location, answer, arrived, origin: edge.url };
  }

  it.each(['storage.example.com', '127.0.0.1', '[::1]', '169.254.169.254', '2130706433'])(
    'of this network (%s) is refused: nothing goes there, and the client is told why',
    async (host) => {
      const { location, answer, arrived, origin } = await push(host, []);
      expect(location).toMatch(new RegExp(`^(?:${origin})?/v2/app/blobs/uploads/`));
      expect(answer.status).toBe(502);
      expect(answer.body.toString()).toContain('is at an internal address');
      expect(answer.body.toString()).not.toContain('s3cr3t');
      expect(arrived).toEqual([]);
    },
  );

  it('goes on there when the operator lists the host, without the credentials of the client', async () => {
    const { answer, arrived } = await push('storage.example.com', ['storage.example.com']);
    expect(answer.status).toBe(201);
    expect(arrived).toMatchObject([{ target: `/store?signature=s3cr3t&digest=${sha256('content') as Digest}` }]);
    expect(headerValue(arrived[0]?.headers ?? [], 'Authorization')).toBeUndefined();
  });
});

describe('F22: a realm that is no token service of the registry', () => {
  /** What a client gets that asks for a token; the registry names a realm at a host of its own site. */
  async function ask(allowed: readonly string[]) {
    await using tokens = await startTokenServer({ users: { user: 'secret' } });
    const realm = tokens.realm.replace('127.0.0.1', 'auth.example.com');
    const upstream = fakeUpstream();
    const challenge = ['WWW-Authenticate', `Bearer realm="${realm}",service="${tokens.service}"`] as const;
    upstream.on('GET', '/v2/', errorAnswer(401, 'UNAUTHORIZED', 'no', [challenge]));
    const endpoint = fakeEndpoint({
      ...upstream,
      origin: 'http://hub.example.com',
      addresses: addressesOf('hub.example.com', allowed),
    });
    const endpoints = createEndpointRoutes([{ endpoint, ns: [], isDefault: true }]);
    await using edge = await startEdge(undefined, {
      endpoints,
      tokens: createTokenEndpoint(endpoints, createChallenges(Date.now), createTokenMemory()),
    });
    const answer = await exchange(edge.url, { target: '/token', headers: { Authorization: login } });
    return { answer, questions: tokens.questions.length };
  }

  it('because its name is of this network gets no credentials of a client, and the client is told why', async () => {
    const { answer, questions } = await ask([]);
    expect([answer.status, questions]).toEqual([502, 0]);
    expect(answer.body.toString()).toContain('is at an internal address');
  });

  it('gives its token when the operator lists its host', async () => {
    const { answer, questions } = await ask(['auth.example.com']);
    expect([answer.status, questions]).toEqual([200, 1]);
  });
});

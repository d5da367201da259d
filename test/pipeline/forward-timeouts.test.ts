import { describe, expect, it } from 'vitest';
import { createEndpointRoutes } from '../../src/http/endpoint-routes.ts';
import { createDispatch } from '../../src/pipeline/dispatch.ts';
import { createRegistry } from '../../src/upstream/registry.ts';
import type { UpstreamOptions } from '../../src/upstream/upstream.ts';
import { startEdge } from '../http/edge.ts';
import { fakeServices } from '../support/fakes.ts';
import { exchange } from '../support/http.ts';
import { startHttpProxy } from '../support/http-proxy.ts';
import { fakeEndpoint } from '../support/scene.ts';
import { hang, head, respond, send } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';

/** Long enough to tell that another time was kept. */
const LONG = 600_000;

async function startInFrontOf(url: string, options: Partial<UpstreamOptions>) {
  const upstream = createRegistry({ name: 'hub', urls: [url, url], ...options });
  const endpoints = createEndpointRoutes([{ endpoint: fakeEndpoint(upstream), ns: [], isDefault: true }]);
  const edge = await startEdge(createDispatch(fakeServices()), { endpoints });
  return {
    url: edge.url,
    async [Symbol.asyncDispose]() {
      await edge[Symbol.asyncDispose]();
      await upstream.close();
    },
  };
}

describe('the timeouts of an upstream count for what is forwarded to it', () => {
  const extension = '/v2/app/_acme/scan/status';

  it('headers: for the answer to a read', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [hang()]);
    const timeouts = { headers: 50, change: LONG, stall: LONG };
    await using front = await startInFrontOf(registry.url, { timeouts });
    expect((await exchange(front.url, { target: extension })).status).toBe(504);
  });

  it('stall: for the bytes of that answer', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [head(200, ['Content-Length: 10']), send('12345'), hang()]);
    const timeouts = { headers: LONG, change: LONG, stall: 50 };
    await using front = await startInFrontOf(registry.url, { timeouts });
    await expect(exchange(front.url, { target: extension })).rejects.toThrow();
  });

  it('change: for pushes and deletes, which may take longer than a read', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('POST', /./, [hang()]);
    registry.on('DELETE', /./, [hang()]);
    const timeouts = { headers: LONG, change: 50, stall: LONG };
    await using front = await startInFrontOf(registry.url, { timeouts });
    const target = '/v2/app/blobs/uploads/';
    expect((await exchange(front.url, { method: 'POST', target })).status).toBe(504);
    expect((await exchange(front.url, { method: 'DELETE', target: `${target}session` })).status).toBe(504);
  });

  it('and a push that takes longer than a read may is waited for', async () => {
    await using registry = await startScriptedUpstream();
    const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 150));
    registry.on('POST', /./, [pause, respond(202, [['Location', '/v2/app/blobs/uploads/1']])]);
    const timeouts = { headers: 50, change: LONG, stall: 50 };
    await using front = await startInFrontOf(registry.url, { timeouts });
    expect((await exchange(front.url, { method: 'POST', target: '/v2/app/blobs/uploads/' })).status).toBe(202);
  });

  it('connect: for the way there', async () => {
    await using proxy = await startHttpProxy({ routes: {} });
    proxy.broken = 'silent';
    const timeouts = { connect: 50, headers: LONG, change: LONG };
    await using front = await startInFrontOf('http://registry.example.com', { timeouts, proxy: { origin: proxy.url } });
    const answer = await exchange(front.url, { method: 'POST', target: '/v2/app/blobs/uploads/' });
    expect(answer.status).toBe(504);
    expect(answer.body.toString()).toContain(proxy.url);
  });
});

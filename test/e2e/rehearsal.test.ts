import { describe, expect, it } from 'vitest';
import { createChallenges } from '../../src/pipeline/challenges.ts';
import type { Dispatch } from '../../src/pipeline/dispatch.ts';
import { rehearse } from '../../src/rehearsal.ts';
import { loadValid } from '../config/support.ts';
import { eventually } from '../support/deadline.ts';
import { exchange } from '../support/http.ts';
import { startManifix } from '../support/manifix.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';

describe('the rehearsal before the first client', () => {
  it('asks the use cases one question, with a registry of its own that does not have it, and leaves no connection', async () => {
    const asked: unknown[] = [];
    const dispatch: Dispatch = async ({ endpoint, request }) => {
      const { method, route, headers } = request;
      const path = '/v2/anything/manifests/1';
      const { status } = await endpoint.upstream.request({ method: 'HEAD', path, headers });
      asked.push([method, route.kind, status]);
      return { status, headers: [['Content-Length', '0']], body: { kind: 'none' } };
    };
    const connections = () => process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCP')).length;
    const before = connections();
    const config = await loadValid({ flags: { upstream: 'http://127.0.0.1:1' } });
    await rehearse(config, dispatch, createChallenges(Date.now));
    expect(asked).toEqual([['HEAD', 'blob', 404]]);
    await eventually('all connections are closed', async () => connections() === before || undefined);
  });

  it('reaches no registry, counts nowhere and stores nothing', async () => {
    await using upstream = await startScriptedUpstream();
    await using manifix = await startManifix({ upstream: upstream.url, env: { MANIFIX_LOG_LEVEL: 'debug' } });
    const metrics = (await exchange(manifix.adminUrl, { target: '/metrics' })).body.toString();
    const counted = metrics.match(/^manifix_\w+_(?:total|count)(?:\{.*\})? [1-9].*$/gm);
    expect({ requests: upstream.requests, counted }).toEqual({ requests: [], counted: null });
    expect(manifix.output()).not.toMatch(/rehearsal/);
  });
});

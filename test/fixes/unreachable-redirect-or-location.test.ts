import { describe, expect, it } from 'vitest';
import { unreachableRedirectOrLocation } from '../../src/fixes/unreachable-redirect-or-location.ts';
import { exchange } from '../support/http.ts';
import { startManifix } from '../support/manifix.ts';
import { respond } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';

const { id } = unreachableRedirectOrLocation;

describe(id, () => {
  it('follows within the registry with the same method, and never with a body, elsewhere or for ever', async () => {
    await using registry = await startScriptedUpstream();
    const moved = (to: string) => [respond(308, [['Location', to]])];
    registry.on('DELETE', /\/v2\/_ext\/there$/, [respond(204)]);
    registry.on('DELETE', /\/v2\/_ext\/port$/, moved(`http://127.0.0.1/v2/_ext/there`));
    registry.on('DELETE', /\/v2\/_ext\/relative$/, moved('/v2/_ext/there'));
    registry.on('DELETE', /\/v2\/_ext\/elsewhere$/, moved('https://storage.test/x'));
    registry.on('DELETE', /\/v2\/_ext\/self$/, moved('/v2/_ext/self'));
    registry.on('DELETE', /\/v2\/_ext\/ping$/, moved('/v2/_ext/pong'));
    registry.on('DELETE', /\/v2\/_ext\/pong$/, moved('/v2/_ext/ping'));
    registry.on('POST', /\/v2\/_ext\/relative$/, moved('/v2/_ext/there'));
    await using manifix = await startManifix({ upstream: registry.url });
    const ask = (name: string, method = 'DELETE', body?: string) =>
      exchange(manifix.url, { method, target: `/v2/_ext/${name}`, ...(body === undefined ? {} : { body }) });
    for (const name of ['port', 'relative']) {
      const answer = await ask(name);
      expect([answer.status, answer.header('Manifix-Fixes')?.includes(id)]).toEqual([204, true]);
    }
    for (const name of ['elsewhere', 'self']) expect((await ask(name)).status).toBe(308);
    const before = registry.requests.length;
    expect((await ask('ping')).status).toBe(308);
    expect(registry.requests.length - before).toBe(6);
    expect((await ask('relative', 'POST', 'body')).status).toBe(308);
  });
});

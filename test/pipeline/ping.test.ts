import { expect, it } from 'vitest';
import { exchange } from '../support/http.ts';
import { startManifix } from '../support/manifix.ts';
import { respond } from '../support/script-steps.ts';
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

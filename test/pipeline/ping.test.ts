import { expect, it } from 'vitest';
import { exchange } from '../support/http.ts';
import { startManifix } from '../support/manifix.ts';
import { drip, respond } from '../support/script-steps.ts';
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

it('waits for a slow registry to ask for credentials', async () => {
  await using registry = await startScriptedUpstream();
  const refusal = `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: ${challenge}\r\nContent-Length: 0\r\n\r\n`;
  registry.on('GET', /./, [drip(Buffer.from(refusal), 20, 5)]);
  const upstreams = { slow: { url: registry.url, timeouts: { revalidate: '1ms' } } };
  await using manifix = await startManifix({ config: { upstreams } });
  expect((await exchange(manifix.url, ping)).status).toBe(401);
});

it('gives nobody a realm that gets no credentials, also not from memory', async () => {
  await using registry = await startScriptedUpstream();
  const realm = 'Bearer realm="http://user:secret@127.0.0.1:1/token",service="registry"';
  registry.once('GET', /./, [respond(401, [['WWW-Authenticate', realm]])]);
  registry.on('GET', /./, [respond(503)]);
  await using manifix = await startManifix({ upstream: registry.url });
  for (const _ of ['healthy', 'failing']) {
    const answer = await exchange(manifix.url, ping);
    expect(answer.status).toBe(502);
    expect(answer.header('WWW-Authenticate')).toBeUndefined();
  }
});

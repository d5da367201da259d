import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { exchange } from '../support/http.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { essence, fixesOf, fromCache } from './answers.ts';

const credentials = { Authorization: 'Basic dXNlcjpwYXNz' };

describe('redirects to storage', () => {
  let injector: DefectInjector;
  let manifix: Manifix;

  beforeAll(async () => {
    injector = await startDefectInjector();
    manifix = await startManifix({ upstream: injector.url });
  });
  afterAll(() => Promise.all([manifix.stop(), injector.stop()]));

  it.each(['redirect-blob', 'redirect-303', 'head-presigned'])(
    '%s: direct the client is sent to a place that refuses its credentials; manifix goes there without them',
    async (defect) => {
      const digest = injector.content.putBlob('', Buffer.from(`stored elsewhere: ${defect}`));
      const target = `/v2/${defect}/blobs/${digest}`;
      const redirect = await exchange(injector.url, { target, headers: credentials });
      expect([303, 307]).toContain(redirect.status);
      const location = new URL(redirect.header('Location') ?? '');
      const leaked = await exchange(location.origin, {
        target: `${location.pathname}${location.search}`,
        headers: credentials,
      });
      expect(leaked.status).toBe(400);

      const answer = await exchange(manifix.url, { target, headers: credentials });
      expect([answer.status, answer.body.toString()]).toEqual([200, `stored elsewhere: ${defect}`]);
      expect(answer.header('Docker-Content-Digest')).toBe(digest);
      expect(answer.header('Location')).toBeUndefined();
      expect(fixesOf(answer)).toEqual(['redirect-auth-leak-400']);
      const cached = await fromCache(() => exchange(manifix.url, { target, headers: credentials }));
      expect(essence(cached)).toEqual(essence(answer));
    },
  );

  it('follows them for HEAD too', async () => {
    const digest = injector.content.putBlob('', Buffer.from('head of what is stored elsewhere'));
    const target = `/v2/redirect-blob/blobs/${digest}`;
    const answer = await exchange(manifix.url, { method: 'HEAD', target, headers: credentials });
    expect([answer.status, answer.header('Content-Length')]).toEqual([200, '32']);
    expect(answer.header('Docker-Content-Digest')).toBe(digest);
  });

  it.each(['index', sampleImage('index').digest])('follows them for manifest %s', async (reference) => {
    const target = `/v2/redirect-manifest/manifests/${reference}`;
    const headers = { ...credentials, Accept: manifestTypes.join(', ') };
    expect((await exchange(injector.url, { target, headers })).status).toBe(307);
    const answer = await exchange(manifix.url, { target, headers });
    expect([answer.status, answer.body]).toEqual([200, sampleImage('index').bytes]);
  });

  it.each(['GET', 'HEAD'])('redirect-loop: %s ends with an error of the registry format', async (method) => {
    const digest = injector.content.putBlob('', Buffer.from(`loop ${method}`));
    const answer = await exchange(manifix.url, { method, target: `/v2/redirect-loop/blobs/${digest}` });
    expect(answer.status).toBe(502);
    expect(answer.header('Content-Type')).toMatch(/^application\/json/);
  });

  it('leaves a registry that does not redirect alone: its answer names no fix', async () => {
    const digest = injector.content.putBlob('', Buffer.from('stored here'));
    const answer = await exchange(manifix.url, { target: `/v2/healthy/blobs/${digest}`, headers: credentials });
    expect([answer.status, answer.body.toString(), fixesOf(answer)]).toEqual([200, 'stored here', []]);
  });

  it('can be left to the client: with the fix off the redirect passes as it is', async () => {
    const env = { MANIFIX_FIXES_REDIRECT_AUTH_LEAK_400: 'off' };
    await using passing = await startManifix({ upstream: injector.url, env });
    const digest = injector.content.putBlob('', Buffer.from('for the client to fetch'));
    for (const path of [`/v2/redirect-blob/blobs/${digest}`, '/v2/redirect-manifest/manifests/index']) {
      const direct = await exchange(injector.url, { target: path });
      const answer = await exchange(passing.url, { target: path });
      expect([answer.status, answer.header('Location')]).toEqual([307, direct.header('Location')]);
    }
  });
});

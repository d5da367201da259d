import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { startTokenServer, type TokenServer } from '../support/token-server.ts';
import { describeWithTools } from '../support/tools.ts';

/** user, secret */
const htpasswd = 'user:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n';
const users = { user: 'secret' };
const account = { username: 'user', password: 'secret' };

describeWithTools('credentials of manifix itself', ['docker-registry'], () => {
  describe.each(['a password', 'tokens'])('at a docker-registry that wants %s', (what) => {
    let tokens: TokenServer;
    let registry: DockerRegistry;
    let manifix: Manifix;
    let stranger: Manifix;

    beforeAll(async () => {
      tokens = await startTokenServer({ users });
      registry = await startDockerRegistry(what === 'tokens' ? { tokenService: tokens } : { htpasswd });
      manifix = await startManifix({ config: { upstreams: { private: { url: registry.url, credentials: account } } } });
      stranger = await startManifix({ config: { upstreams: { private: { url: registry.url, credentials: 'none' } } } });
    });
    afterAll(() => Promise.all([manifix.stop(), stranger.stop(), registry.stop(), tokens.stop()]));

    it('push and pull for clients without any, and for those with others', async () => {
      await pushImage(manifix.url, 'team/app', 'latest', sampleImage('list'));
      for (const headers of [{}, { Authorization: 'Basic b3RoZXI6b3RoZXI=' }]) {
        const answer = await exchange(manifix.url, { target: '/v2/team/app/manifests/latest', headers });
        expect(answer.status).toBe(200);
      }
      expect(await exchange(manifix.url, { target: '/v2/' })).toMatchObject({ status: 200 });
      expect(await exchange(manifix.url, { target: '/v2/team/app/tags/list' })).toMatchObject({ status: 200 });
      expect(manifix.output()).not.toMatch(/secret|Bearer|eyJ\w{10}/);
    });

    it('serve what is cached without asking anybody again, and only in the repository that has it', async () => {
      const image = sampleImage('list');
      const target = (repository: string) => `/v2/${repository}/manifests/${image.digest}`;
      expect((await exchange(manifix.url, { target: target('team/app') })).status).toBe(200);
      const again = await exchange(manifix.url, { target: target('team/app') });
      expect(again.header('Cache-Status')).toBe('manifix; hit');
      expect((await exchange(manifix.url, { target: target('other/app') })).status).toBe(404);
    });

    it('that do not suffice are explained, and nobody is asked to log in', async () => {
      const answer = await exchange(stranger.url, { target: '/v2/team/app/manifests/latest' });
      expect([answer.status, answer.header('WWW-Authenticate')]).toEqual([401, undefined]);
      expect(answer.body.toString()).toContain('upstreams.private.credentials');
    });
  });
});

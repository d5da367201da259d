import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { errorAnswer } from '../support/double/message.ts';
import { headerValue } from '../support/headers.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { startRegistryDouble } from '../support/registry-double.ts';
import { describeWithTools } from '../support/tools.ts';
import { firstError } from './registry-errors.ts';

const image = sampleImage('index-nomt');
const accept = { Accept: manifestTypes.join(', ') };
const basic = (password: string) => ({ Authorization: `Basic ${Buffer.from(`user:${password}`).toString('base64')}` });
const allowed = basic('secret');

function ask(server: { url: string }, reference: string, credentials = {}, method = 'GET'): Promise<HttpAnswer> {
  const target = `/v2/private/app/manifests/${reference}`;
  return exchange(server.url, { method, target, headers: { ...accept, ...credentials } });
}

describeWithTools('a derived manifest of a private repository', ['docker-registry'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;
  let derived: string;

  beforeAll(async () => {
    // The password is "secret".
    const htpasswd = 'user:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n';
    registry = await startDockerRegistry({ htpasswd });
    manifix = await startManifix({ upstream: registry.url });
    await pushImage(registry.url, 'private/app', '1', image, allowed);
    derived = (await ask(manifix, '1', allowed)).header('Docker-Content-Digest') ?? '';
  });
  afterAll(() => Promise.all([manifix, registry].map((server) => server.stop())));

  it.each(['GET', 'HEAD'])('is served to a caller whose credentials the registry takes, with %s', async (method) => {
    const answer = await ask(manifix, derived, allowed, method);
    expect([answer.status, answer.header('Docker-Content-Digest')]).toEqual([200, derived]);
  });

  it.each([
    ['nobody', {}],
    ['a wrong password', basic('guessed')],
  ])('answers %s as its original does: 401 with the challenge', async (_, credentials) => {
    for (const method of ['GET', 'HEAD']) {
      const direct = await ask(registry, image.digest, credentials, method);
      for (const reference of [derived, image.digest, '1']) {
        const answer = await ask(manifix, reference, credentials, method);
        expect(answer.status, reference).toBe(401);
        expect(answer.header('WWW-Authenticate')).toBe(direct.header('WWW-Authenticate'));
        if (method === 'GET') expect(firstError(answer.body).code).toBe('UNAUTHORIZED');
      }
    }
  });

  it('keeps both rules after a restart', async () => {
    await manifix.restart();
    expect((await ask(manifix, derived)).status).toBe(401);
    expect((await ask(manifix, derived, allowed)).status).toBe(200);
    expect((await ask(manifix, derived)).status).toBe(401);
  });
});

describe('a derived manifest in a registry that hides what is private behind 404', () => {
  it('is not lost when somebody asks for it who may not see it', async () => {
    await using registry = await startRegistryDouble({
      intercept: async (request, respondNormally) =>
        headerValue(request.headers, 'Authorization') === allowed.Authorization
          ? respondNormally()
          : errorAnswer(404, 'NAME_UNKNOWN', 'repository name not known to registry'),
    });
    registry.content.addImage('private/app', '1', image);
    await using manifix = await startManifix({ upstream: registry.url });
    const derived = (await ask(manifix, '1', allowed)).header('Docker-Content-Digest') ?? '';
    expect(derived).not.toBe(image.digest);
    expect((await ask(manifix, derived)).status).toBe(404);
    expect((await ask(manifix, derived, allowed)).status).toBe(200);
    await manifix.restart();
    expect((await ask(manifix, derived)).status).toBe(404);
    expect((await ask(manifix, derived, allowed)).status).toBe(200);
  });
});

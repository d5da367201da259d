import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { describeWithTools } from '../support/tools.ts';
import { fixesOf } from './answers.ts';
import { firstError } from './registry-errors.ts';

const content = 'what is uploaded';
const digest = sha256(content);

describeWithTools('upload URLs that clients of docker-registry put together wrongly', ['docker-registry'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    manifix = await startManifix({ upstream: registry.url });
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop()]));

  /** A path and query whose state holds a percent sign, which depends on the length of the name. */
  async function openSession(url: string): Promise<string> {
    for (const name of ['a', 'ab', 'abc', 'abcd', 'abcde', 'abcdef']) {
      const { header } = await exchange(url, { method: 'POST', target: `/v2/${name}/blobs/uploads/` });
      const location = (header('Location') ?? '').slice(url.length);
      if (location.includes('%')) return location;
    }
    throw new Error('no upload state with a percent sign');
  }
  const put = (url: string, target: string): Promise<HttpAnswer> =>
    exchange(url, {
      method: 'PUT',
      target,
      headers: { 'Content-Type': 'application/octet-stream' },
      body: content,
    });

  it.each([
    [
      'a state that was encoded twice',
      'double-encoded-state',
      (url: string) => `${url.replaceAll('%', '%25')}&digest=${digest}`,
    ],
    [
      'a state that was encoded three times',
      'double-encoded-state',
      (url: string) => `${url.replaceAll('%', '%2525')}&digest=${digest}`,
    ],
    ['a second question mark', 'second-question-mark', (url: string) => `${url}?digest=${digest}`],
    [
      'a question mark in front of the state',
      'second-question-mark',
      (url: string) => url.replace('?', `?digest=${digest}?`),
    ],
    ['a digest without its algorithm', 'digest-parameter-shape', (url: string) => `${url}&digest=${digest.slice(7)}`],
    [
      'a digest in capitals',
      'digest-parameter-shape',
      (url: string) => `${url}&digest=sha256:${digest.slice(7).toUpperCase()}`,
    ],
    ['a digest with a newline', 'digest-parameter-shape', (url: string) => `${url}&digest=${digest}%0A`],
  ])('%s: fails direct and works through manifix', async (_, fix, spoil) => {
    const direct = await put(registry.url, spoil(await openSession(registry.url)));
    expect(direct.status).toBeGreaterThanOrEqual(400);
    expect(firstError(direct.body).code).toMatch(/^(BLOB_UPLOAD_INVALID|DIGEST_INVALID)$/);
    const through = await put(manifix.url, spoil(await openSession(manifix.url)));
    expect([through.status, through.header('Docker-Content-Digest')]).toEqual([201, digest]);
    expect(fixesOf(through)).toContain(fix);
  });

  it.each([
    ['without its state', 'carries no upload state', (url: string) => `${url.replace(/\?.*/, '')}?digest=${digest}`],
    [
      'with an altered state',
      'did not sign the upload state',
      (url: string) => `${url.replace(/_state=..../, '_state=AAAA')}&digest=${digest}`,
    ],
    ['without a digest', 'arrived without a digest parameter', (url: string) => url],
    ['with the digest of something else', 'the request names', (url: string) => `${url}&digest=${sha256('else')}`],
  ])('%s: is explained', async (_, words, spoil) => {
    const session = await openSession(manifix.url);
    const direct = await put(registry.url, spoil(session));
    const answer = await put(manifix.url, spoil(await openSession(manifix.url)));
    expect(answer.status).toBe(direct.status);
    const { code, explanation } = firstError(answer.body);
    expect(code).toBe(firstError(direct.body).code);
    expect(explanation).toContain(words);
  });
});

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { barrier } from '../support/deadline.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { type SampleImage, sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { startTokenServer, type TokenServer } from '../support/token-server.ts';
import { describeWithTools } from '../support/tools.ts';

const image = sampleImage('oci-amd64');
const login = { Authorization: `Basic ${Buffer.from('user:secret').toString('base64')}` };

describeWithTools('images that everybody may pull with a token', ['docker-registry'], () => {
  let tokens: TokenServer;
  let registry: DockerRegistry;
  let manifix: Manifix;

  beforeAll(async () => {
    tokens = await startTokenServer({ users: { user: 'secret' } });
    registry = await startDockerRegistry({ tokenService: tokens });
    const own = { registry: { url: registry.url, credentials: { username: 'user', password: 'secret' } } };
    await using writer = await startManifix({ config: { upstreams: own } });
    for (const name of ['public/app', 'private/app']) await pushImage(writer.url, name, '1', image);
  });
  afterAll(() => Promise.all([registry.stop(), tokens.stop()]));
  beforeEach(async () => {
    // Whoever waited for what keeps silent would wait for longer than a test may take.
    const upstreams = { registry: { url: registry.url, timeouts: { headers: '1h' } } };
    manifix = await startManifix({ config: { upstreams, cache: { tagTtl: '0s' } } });
  });
  afterEach(async () => {
    Object.assign(tokens, { failing: undefined, held: undefined });
    registry.signal('SIGCONT');
    await manifix.stop();
  });

  /** Sends a request as clients do: without a token, and then with one of the realm that they are sent to. */
  async function ask(
    target: string,
    credentials: Readonly<Record<string, string>> = {},
    hasToken: () => void = () => undefined,
  ): Promise<HttpAnswer> {
    const first = await exchange(manifix.url, { target });
    if (first.status !== 401) return first;
    const challenge = first.header('WWW-Authenticate') ?? '';
    const parameter = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? '';
    const realm = new URL(parameter('realm'));
    for (const name of ['service', 'scope']) realm.searchParams.append(name, parameter(name));
    const answer = await exchange(manifix.url, { target: realm.pathname + realm.search, headers: credentials });
    if (answer.status !== 200) return answer;
    const { token } = JSON.parse(answer.body.toString());
    hasToken();
    return exchange(manifix.url, { target, headers: { Authorization: `Bearer ${token}` } });
  }

  /** A whole pull; the statuses of its answers. */
  async function pull(name: string, { digest, blobs }: SampleImage, credentials = {}): Promise<readonly number[]> {
    const targets = ['manifests/1', `manifests/${digest}`, ...blobs.map((blob) => `blobs/${blob.digest}`)];
    const statuses: number[] = [];
    for (const target of targets) statuses.push((await ask(`/v2/${name}/${target}`, credentials)).status);
    return [...new Set(statuses)];
  }

  it('are pulled by everybody while the token service is down, and what is not known fails with the reason', async () => {
    expect(await pull('public/app', image)).toEqual([200]);
    expect(await pull('private/app', image, login)).toEqual([200]);
    tokens.failing = 503;
    expect(await pull('public/app', image)).toEqual([200]);
    expect(await pull('public/app', image, login)).toEqual([200]);
    expect(await pull('private/app', image)).toEqual([503]);
    const unknown = await ask('/v2/public/app/manifests/2');
    expect([unknown.status, unknown.body.toString()]).toEqual([503, expect.stringContaining('token service')]);
    expect((await ask('/v2/public/app/manifests/1')).header('Cache-Status')).toContain('detail="no-token"');
  });

  it('are pulled while the registry hangs, and while its token service is down as well', async () => {
    expect(await pull('public/app', image)).toEqual([200]);
    // What callers with a password ask for takes nothing back from everybody.
    expect(await pull('public/app', image, login)).toEqual([200]);
    registry.signal('SIGSTOP');
    expect(await pull('public/app', image)).toEqual([200]);
    tokens.failing = 503;
    expect(await pull('public/app', image)).toEqual([200]);
  });

  it('are pulled while the token service keeps silent, and what is not known comes with the token', async () => {
    expect(await pull('public/app', image)).toEqual([200]);
    const gate = barrier();
    tokens.held = gate.passed;
    expect(await pull('public/app', image)).toEqual([200]);
    const target = '/v2/private/app/manifests/1';
    expect((await ask(target, login, gate.release)).header('Cache-Status')).toContain('fwd=miss');
  });

  it('keep no token in the log', async () => {
    await pull('public/app', image);
    await pull('private/app', image, login);
    expect(manifix.output()).not.toMatch(/eyJ\w{10}|secret/);
  });
});

import { writeFile } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { within } from '../support/deadline.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { type OidcIssuer, startOidcIssuer } from '../support/oidc-issuer.ts';
import { basicLogin, passwordLine } from '../support/password-line.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';
import { startTeam } from '../support/team.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { firstError } from './registry-errors.ts';

const image = sampleImage('oci-amd64');
/** The same hash all the time: with another one, a password has to prove itself anew. */
const BOB = passwordLine('bob', 'secret');
const basic = (user: string, password: string) => basicLogin(user, password).Authorization;

describe('an endpoint that knows its clients', () => {
  const cleanup = new AsyncDisposableStack();
  let registry: RegistryDouble;
  let provider: OidcIssuer;
  let manifix: Manifix;
  let htpasswd: string;

  /** Pulls in somebody's name; each client of these tests has an address of its own. */
  function pull(authorization: string | undefined, address = '198.51.100.1'): Promise<HttpAnswer> {
    const headers = { Accept: manifestTypes.join(', '), 'X-Forwarded-For': address };
    return exchange(manifix.url, {
      target: '/v2/app/manifests/latest',
      headers: authorization === undefined ? headers : { ...headers, Authorization: authorization },
    });
  }

  async function postTokens(target: string, body: object): Promise<{ readonly id: string; readonly token: string }> {
    const headers = { 'Content-Type': 'application/json' };
    const answer = await exchange(manifix.adminUrl, { method: 'POST', target, headers, body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
    return JSON.parse(answer.body.toString());
  }

  beforeAll(async () => {
    registry = cleanup.use(await startRegistryDouble());
    registry.content.addImage('app', 'latest', image);
    provider = cleanup.use(await startOidcIssuer());
    const directory = cleanup.use(await temporaryDirectory());
    htpasswd = join(directory.path, 'users.htpasswd');
    await writeFile(htpasswd, BOB);
    const oidc = [{ name: 'ci', issuer: provider.issuer, audience: 'manifix', claims: { repository_owner: 'acme' } }];
    manifix = cleanup.use(
      await startManifix({
        config: {
          upstreams: { hub: { url: registry.url, credentials: 'none' } },
          endpoints: [
            {
              name: 'team',
              auth: { htpasswd, tokens: true, oidc },
              rights: [{ who: ['authenticated'], allow: ['pull', 'list'], repositories: ['**'] }],
            },
          ],
          trustedProxies: ['127.0.0.1'],
        },
      }),
    );
  });
  afterAll(() => cleanup.disposeAsync());

  it('serves whoever knows a password, and asks everybody else for one', async () => {
    const answer = await pull(basic('bob', 'secret'));
    expect([answer.status, answer.body.equals(image.bytes)]).toEqual([200, true]);
    const refusals = await Promise.all(
      [undefined, basic('bob', 'wrong'), basic('eve', 'secret')].map((shown) => pull(shown)),
    );
    expect(refusals.map(({ status }) => status)).toEqual([401, 401, 401]);
    for (const refusal of refusals) expect(refusal.header('WWW-Authenticate')).toMatch(/^(?:Bearer|Basic) /);
  });

  it('shows the registry nothing of what its clients show', async () => {
    await pull(basic('bob', 'secret'));
    const shown = registry.requests.map(({ headers }) => JSON.stringify(headers));
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.filter((headers) => /authorization/i.test(headers))).toEqual([]);
  });

  it('knows who was added to its file, and forgets who was taken out, without a restart', async () => {
    await writeFile(htpasswd, BOB + passwordLine('ann', 'hidden'));
    await expect.poll(async () => (await pull(basic('ann', 'hidden'), '198.51.100.2')).status).toBe(200);
    await writeFile(htpasswd, BOB);
    await expect.poll(async () => (await pull(basic('ann', 'hidden'), '198.51.100.2')).status).toBe(401);
    expect((await pull(basic('bob', 'secret'))).status).toBe(200);
  });

  it('keeps its users while the file is broken, and says what is wrong', async () => {
    await writeFile(htpasswd, 'bob:hunter2\n');
    await expect
      .poll(async () => [
        (await pull(basic('bob', 'secret'))).status,
        /line 1 has a password in plain text/.test(manifix.output()),
      ])
      .toEqual([200, true]);
    expect(manifix.output()).not.toContain('hunter2');
    await writeFile(htpasswd, BOB);
  });

  it('takes tokens, and a revoked one not a moment longer', async () => {
    const { token, id } = await postTokens('/tokens', { user: 'robot', expires: '1h' });
    for (const shown of [basic('robot', token), `Bearer ${token}`]) expect((await pull(shown)).status).toBe(200);
    expect((await pull(basic('bob', token))).status).toBe(401);
    await postTokens('/tokens/revoke', { id });
    const answer = await pull(`Bearer ${token}`);
    expect(answer.status).toBe(401);
    expect(answer.body.toString()).toContain('revoked or never made here');
  });

  it('takes tokens of its issuer, with the claims that it wants', async () => {
    const token = await provider.token({ repository_owner: 'acme' });
    for (const shown of [basic('oidc', token), `Bearer ${token}`]) expect((await pull(shown)).status).toBe(200);
    const other = await pull(`Bearer ${await provider.token({ repository_owner: 'evil' })}`);
    expect(other.status).toBe(401);
    expect(other.body.toString()).toContain('does not have the claim \\"repository_owner\\"');
  });

  it('makes whoever guesses pause, and nobody else', async () => {
    await pull(basic('bob', 'secret'));
    const guesses = await Promise.all(
      Array.from({ length: 300 }, (_, at) =>
        pull(basic(at % 2 === 0 ? 'bob' : 'nobody', `guess ${at}`), '203.0.113.9'),
      ),
    );
    const statuses = guesses.map(({ status }) => status);
    // Ten, and one more after each pause for which a slow machine leaves time: 1 s, 2 s, 4 s, ...
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(15);
    const paused = guesses.find(({ status }) => status === 429);
    expect(Number(paused?.header('Retry-After'))).toBeGreaterThanOrEqual(1);
    expect(firstError(paused?.body ?? Buffer.from('')).code).toBe('TOOMANYREQUESTS');
    // From its own address and from that of the guesser.
    for (const address of ['198.51.100.1', '203.0.113.9']) {
      expect((await pull(basic('bob', 'secret'), address)).status).toBe(200);
    }
  });

  it('writes no password and no token into its log', () => {
    expect(manifix.output()).not.toMatch(/secret|hidden|guess \d|mfx_|eyJ\w{10}/);
  });

  it.each([
    ['in the target', 'GET http://bob:secret@registry.test/v2/ HTTP/1.1\r\nHost: registry.test'],
    ['in Host', 'GET /v2/ HTTP/1.1\r\nHost: bob:secret@registry.test'],
  ])('refuses credentials in the URL, %s, and says where they belong', async (_, head) => {
    const { hostname, port } = new URL(manifix.url);
    const socket = connect({ host: hostname, port: Number(port) });
    socket.end(`${head}\r\nConnection: close\r\n\r\n`);
    const answer = await within('the answer', text(socket));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('the URL holds credentials');
    expect(answer).toContain('docker login');
    expect(answer).not.toContain('secret');
  });
});

it('has other ways to log in after a reload, with the next request on the same connection', async () => {
  const rights = [{ who: ['authenticated'], allow: ['pull'], repositories: ['**'] }];
  await using provider = await startOidcIssuer();
  const issuer = { name: 'ci', issuer: provider.issuer, audience: 'manifix' };
  await using team = await startTeam({ rights, auth: { htpasswd: undefined, tokens: true, oidc: [issuer] } });
  const { url, adminUrl } = team.manifix;
  const made = await exchange(adminUrl, {
    method: 'POST',
    target: '/tokens',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ user: 'robot' }),
  });
  const { token } = JSON.parse(made.body.toString()) as { token: string };
  const job = await provider.token({ ref: 'refs/heads/main' });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const { hostname, port } = new URL(url);
  let connections = 0;

  /** The statuses for the token, the job's token and the password. */
  async function statuses(): Promise<readonly (number | undefined)[]> {
    const seen: (number | undefined)[] = [];
    for (const Authorization of [`Bearer ${token}`, `Bearer ${job}`, basic('bob', 'secret')]) {
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
      const target = { hostname, port, path: '/v2/team/app/manifests/1', agent, headers: { Authorization } };
      const outgoing = request(target, resolve);
      outgoing.once('socket', () => {
        if (!outgoing.reusedSocket) connections += 1;
      });
      outgoing.once('error', reject).end();
      const answer = await within('the answer', promise);
      await text(answer);
      seen.push(answer.statusCode);
    }
    return seen;
  }

  expect(await statuses()).toEqual([200, 200, 401]);
  await team.reload({ rights });
  expect(await statuses()).toEqual([401, 401, 200]);
  await team.reload({
    rights,
    auth: { htpasswd: undefined, oidc: [{ ...issuer, claims: { ref: 'refs/heads/main' } }] },
  });
  expect(await statuses()).toEqual([401, 200, 401]);
  await team.reload({ rights, auth: { htpasswd: undefined, oidc: [{ ...issuer, claims: { ref: 'refs/tags/*' } }] } });
  expect(await statuses()).toEqual([401, 401, 401]);
  expect(connections).toBe(1);
  agent.destroy();
});

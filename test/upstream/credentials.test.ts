import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { UpstreamCredentials } from '../../src/domain/credentials.ts';
import { headerValue } from '../../src/domain/headers.ts';
import { createUpstream, type UpstreamClient } from '../../src/upstream/upstream.ts';
import { head, respond } from '../support/script-steps.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { startTokenServer, type TokenServer } from '../support/token-server.ts';

const login: UpstreamCredentials = { kind: 'login', username: 'robot', password: 'hunter2' };
const basic = `Basic ${Buffer.from('robot:hunter2').toString('base64')}`;

/** A registry that takes what `accepts` says and else answers 401 with these challenges. */
async function guardedRegistry(
  challenges: () => readonly string[],
  accepts: (authorization: string | undefined) => boolean,
): Promise<ScriptedUpstream> {
  const registry = await startScriptedUpstream();
  const lines = () => challenges().map((value) => `WWW-Authenticate: ${value}`);
  for (const method of ['GET', 'HEAD', 'PUT']) {
    registry.on(method, /./, [
      (context) =>
        accepts(headerValue(context.headers, 'Authorization'))
          ? respond(200, [['Set-Cookie', 'sid=secret']], method === 'HEAD' ? '' : 'content')(context)
          : head(401, [...lines(), 'Set-Cookie: sid=secret', 'Content-Length: 0'])(context),
    ]);
  }
  return registry;
}

const wantsToken = ({ realm, service }: TokenServer, scope = 'repository:app:pull') =>
  `bearer realm="${realm}",service="${service}",scope="${scope}"`;
const hasToken = (authorization: string | undefined) => authorization?.startsWith('Bearer ey') === true;

async function ask(upstream: UpstreamClient, path = '/v2/app/manifests/1', authorization?: string) {
  const headers =
    authorization === undefined
      ? []
      : (['Authorization', 'Cookie', 'Private-Token'] as const).map((name) => [name, authorization] as const);
  const answer = await upstream.request({ method: 'GET', path, headers });
  await buffer(answer.body);
  return answer;
}

const authorizations = (registry: ScriptedUpstream) =>
  registry.requests.map(({ headers }) => headerValue(headers, 'Authorization'));

describe('F16: credentials of manifix itself', () => {
  it('go to a registry that wants a password, and take the place of what the client sent', async () => {
    await using registry = await guardedRegistry(
      () => ['Basic realm="r"'],
      (sent) => sent === basic,
    );
    const upstream = createUpstream({ name: 'hub', url: registry.url, credentials: login });
    const answer = await ask(upstream, '/v2/app/manifests/1', 'Basic b3RoZXI6b3RoZXI=');
    expect([answer.status, headerValue(answer.headers, 'Set-Cookie')]).toEqual([200, undefined]);
    expect(registry.requests.map(({ target }) => target)).toEqual(['/v2/', '/v2/app/manifests/1']);
    expect(authorizations(registry)).toEqual([undefined, basic]);
    for (const name of ['Cookie', 'Private-Token'])
      expect(registry.requests.map(({ headers }) => headerValue(headers, name))).toEqual([undefined, undefined]);
    await upstream.close();
  });

  it('are exchanged for one token per scope, which simultaneous requests share', async () => {
    await using tokens = await startTokenServer({ users: { robot: 'hunter2' } });
    await using registry = await guardedRegistry(() => [wantsToken(tokens)], hasToken);
    const upstream = createUpstream({ name: 'hub', url: registry.url, credentials: login });
    const paths = ['/v2/app/manifests/1', '/v2/app/blobs/sha256:00', '/v2/app/tags/list', '/v2/team/other/manifests/1'];
    const answers = await Promise.all([...paths, ...paths].map((path) => ask(upstream, path)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const question = { method: 'GET', user: 'robot', service: tokens.service, accept: 'application/json' };
    expect(tokens.questions).toEqual([
      { ...question, scopes: ['repository:app:pull'] },
      { ...question, scopes: ['repository:team/other:pull'] },
    ]);
    await upstream.close();
  });

  it('are not needed for what everybody may read: an anonymous token will do', async () => {
    await using tokens = await startTokenServer({ users: {} });
    await using registry = await guardedRegistry(() => [wantsToken(tokens)], hasToken);
    const upstream = createUpstream({ name: 'hub', url: registry.url, credentials: { kind: 'none' } });
    expect((await ask(upstream, '/v2/app/manifests/1', basic)).status).toBe(200);
    expect(tokens.questions.map(({ user }) => user)).toEqual(['']);
    await upstream.close();
  });

  it('are renewed once after a 401, and a second 401 is the answer, without its challenge', async () => {
    await using tokens = await startTokenServer({ users: { robot: 'hunter2' } });
    await using registry = await guardedRegistry(
      () => [wantsToken(tokens)],
      () => false,
    );
    const upstream = createUpstream({ name: 'hub', url: registry.url, credentials: login });
    const answer = await ask(upstream);
    expect([answer.status, headerValue(answer.headers, 'WWW-Authenticate')]).toEqual([401, undefined]);
    expect(registry.requests.map(({ target }) => target)).toEqual([
      '/v2/',
      '/v2/app/manifests/1',
      '/v2/app/manifests/1',
    ]);
    expect(tokens.questions).toHaveLength(2);
    await upstream.close();
  });

  it('are exchanged again before a short-lived token ends, so that the registry refuses none', async () => {
    await using tokens = await startTokenServer({ users: { robot: 'hunter2' } });
    await using registry = await guardedRegistry(() => [wantsToken(tokens)], hasToken);
    const upstream = createUpstream({ name: 'hub', url: registry.url, credentials: login });
    tokens.shape = (token) => ({ token, expires_in: 1e-9 });
    await ask(upstream);
    await ask(upstream);
    expect(tokens.questions).toHaveLength(2);
    expect(authorizations(registry).filter((sent) => sent === undefined)).toHaveLength(1);
    await upstream.close();
  });

  it('are asked for with the scope that the registry names, from the second request on at once', async () => {
    await using tokens = await startTokenServer({ users: { robot: 'hunter2' } });
    const scope = 'repository:proxy/app:pull';
    let wanted = '';
    await using registry = await guardedRegistry(
      () => [wantsToken(tokens, scope)],
      (sent) => {
        const [, claims = ''] = (sent ?? '').split('.');
        return Buffer.from(claims, 'base64url').toString().includes(wanted);
      },
    );
    wanted = 'proxy/app';
    const upstream = createUpstream({ name: 'hub', url: registry.url, credentials: login });
    expect((await ask(upstream)).status).toBe(200);
    expect((await ask(upstream)).status).toBe(200);
    expect(tokens.questions.map(({ scopes }) => scopes)).toEqual([['repository:app:pull'], [scope]]);
    await upstream.close();
  });

  it.each([
    ['only the name of OAuth 2', (token: string) => ({ access_token: token })],
    ['an empty name of docker beside it', (token: string) => ({ token: '', access_token: token, expires_in: '300' })],
    ['a lifetime that makes no sense', (token: string) => ({ token, expires_in: -5 })],
  ])('are understood in answers of every shape: %s', async (_, shape) => {
    await using tokens = await startTokenServer({ users: { robot: 'hunter2' } });
    await using registry = await guardedRegistry(() => [wantsToken(tokens)], hasToken);
    tokens.shape = shape;
    const upstream = createUpstream({ name: 'hub', url: registry.url, credentials: login });
    expect([(await ask(upstream)).status, (await ask(upstream)).status]).toEqual([200, 200]);
    expect(tokens.questions).toHaveLength(1);
    await upstream.close();
  });

  it.each([true, false])('may be a refresh token (the service knows POST: %s)', async (post) => {
    await using tokens = await startTokenServer({ users: { robot: post ? 'hunter2' : 'refresh-robot' }, post });
    await using registry = await guardedRegistry(() => [wantsToken(tokens)], hasToken);
    const credentials = { kind: 'login', username: 'robot', identityToken: 'refresh-robot' } as const;
    const upstream = createUpstream({ name: 'hub', url: registry.url, credentials });
    expect((await ask(upstream)).status).toBe(200);
    expect(tokens.questions.map(({ method, user, scopes }) => [method, user, scopes])).toEqual([
      [post ? 'POST' : 'GET', 'robot', ['repository:app:pull']],
    ]);
    await upstream.close();
  });

  it('a password that the token service refuses is not shown to it again and again', async () => {
    await using tokens = await startTokenServer({ users: { robot: 'another' } });
    await using registry = await guardedRegistry(() => [wantsToken(tokens)], hasToken);
    const upstream = createUpstream({ name: 'hub', url: registry.url, credentials: login });
    for (const path of ['/v2/app/manifests/1', '/v2/app/manifests/2', '/v2/other/manifests/1']) {
      expect((await ask(upstream, path)).status).toBe(401);
    }
    expect(tokens.questions).toHaveLength(1);
    await upstream.close();
  });

  it('a password that is wrong leaves the refusal of the registry as it is', async () => {
    await using tokens = await startTokenServer({ users: { robot: 'changed' } });
    await using registry = await guardedRegistry(() => [wantsToken(tokens)], hasToken);
    const upstream = createUpstream({ name: 'hub', url: registry.url, credentials: login });
    expect((await ask(upstream)).status).toBe(401);
    await upstream.close();
  });

  it('do not go to a realm elsewhere; the error names it and what to do', async () => {
    await using foreign = await guardedRegistry(
      () => ['Bearer realm="https://evil.example.com/token?secret=1"'],
      hasToken,
    );
    const misled = createUpstream({ name: 'hub', url: foreign.url, credentials: login });
    await expect(ask(misled)).rejects.toMatchObject({
      status: 502,
      code: 'UNAVAILABLE',
      explanation: expect.stringMatching(
        /https:\/\/evil\.example\.com does not belong .*No credentials were sent there.*realms/,
      ),
    });
    await misled.close();
  });

  it('a token service that is down is an outage of the registry, and one that is busy says when to come back', async () => {
    await using tokens = await startTokenServer({ users: { robot: 'hunter2' } });
    await using registry = await guardedRegistry(() => [wantsToken(tokens)], hasToken);
    const upstream = createUpstream({ name: 'hub', url: registry.url, credentials: login });
    tokens.failing = 503;
    await expect(ask(upstream)).rejects.toMatchObject({ code: 'UNAVAILABLE', status: 502 });
    tokens.failing = 429;
    await expect(ask(upstream)).rejects.toMatchObject({ code: 'TOOMANYREQUESTS', status: 429 });
    tokens.failing = undefined;
    tokens.shape = () => ({ token: 'two words' });
    await expect(ask(upstream)).rejects.toMatchObject({ message: expect.stringContaining('without a token') });
    await tokens.stop();
    await expect(ask(upstream)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await upstream.close();
  });
});

describe('a credential helper', () => {
  /** A program that prints what the file `secret` beside it holds, and counts how often it was asked. */
  async function helperIn(directory: string, secret: string) {
    const program = join(directory, 'docker-credential-test');
    await writeFile(
      program,
      `#!/bin/sh\nread -r server\necho "$1 $server" >> ${directory}/asked\ncat ${directory}/secret\n`,
    );
    await chmod(program, 0o755);
    await writeFile(join(directory, 'secret'), secret);
    return { kind: 'helper', program, server: 'registry.example.com' } as const;
  }
  const answerOf = (password: string) => JSON.stringify({ Username: 'robot', Secret: password });

  it('is asked for this server once, and again when the registry refuses what it gave', async () => {
    await using directory = await temporaryDirectory();
    const credentials = await helperIn(directory.path, answerOf('old'));
    let valid = basic;
    await using registry = await guardedRegistry(
      () => ['Basic realm="r"'],
      (sent) => sent === valid,
    );
    const upstream = createUpstream({ name: 'ecr', url: registry.url, credentials });
    valid = `Basic ${Buffer.from('robot:old').toString('base64')}`;
    expect([(await ask(upstream)).status, (await ask(upstream)).status]).toEqual([200, 200]);
    await writeFile(join(directory.path, 'secret'), answerOf('hunter2'));
    valid = basic;
    expect((await ask(upstream)).status).toBe(200);
    expect(await readFile(join(directory.path, 'asked'), 'utf8')).toBe('get registry.example.com\n'.repeat(2));
    await upstream.close();
  });

  it.each([
    ['prints something else', 'echo hunter2', 'printed something else'],
    ['fails', 'echo hunter2 >&2; echo hunter2; exit 3', 'ended with exit code 3'],
  ])('that %s is named, but not what it printed', async (_, script, reason) => {
    await using directory = await temporaryDirectory();
    const credentials = await helperIn(directory.path, '');
    await writeFile(credentials.program, `#!/bin/sh\n${script}\n`);
    await using registry = await guardedRegistry(
      () => ['Basic realm="r"'],
      () => false,
    );
    const upstream = createUpstream({ name: 'ecr', url: registry.url, credentials });
    const error = await ask(upstream).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ status: 502, message: expect.stringContaining(reason) });
    expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
    await upstream.close();
  });

  it('that is not there is named', async () => {
    await using registry = await guardedRegistry(
      () => ['Basic realm="r"'],
      () => false,
    );
    const credentials = { kind: 'helper', program: 'docker-credential-not-there', server: 's' } as const;
    const upstream = createUpstream({ name: 'ecr', url: registry.url, credentials });
    await expect(ask(upstream)).rejects.toMatchObject({
      message: expect.stringContaining('no such file or directory'),
    });
    await upstream.close();
  });
});

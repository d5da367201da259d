import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createLayout } from '../../src/store/layout.ts';
import { fromCache } from '../e2e/answers.ts';
import { scale } from '../support/faults/scale.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { basicLogin } from '../support/password-line.ts';
import { startTeam, type Team } from '../support/team.ts';

const image = sampleImage('oci-amd64');
const layer = image.blobs[0]?.digest ?? '';
const UNKNOWN = `sha256:${'0'.repeat(64)}`;
const bob = basicLogin('bob', 'secret');
const eve = basicLogin('eve', 'secret');
const rule = (who: string, allow: readonly string[] = ['pull', 'list']) => ({
  who: [who],
  allow,
  repositories: ['**'],
});
const ofBob = { rights: [rule('bob')] };

const ask = ({ manifix }: Team, target: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') =>
  exchange(manifix.url, { target: `/v2/team/${target}`, headers, method });

/** Everything of an answer but its date, its number and what it was asked for. */
function seen({ status, headers, body }: HttpAnswer, repository: string) {
  const fields = headers.filter(([name]) => name !== 'Date');
  return JSON.stringify({ status, fields, body: body.toString() }).replaceAll(`team/${repository}`, 'team/REPOSITORY');
}

describe('F90: what a team has cached', () => {
  it('is given to its members only, and with the next request no more to one whose right was taken away', async () => {
    await using team = await startTeam(ofBob);
    for (const target of ['app/manifests/1', `app/manifests/${image.digest}`, `app/blobs/${layer}`]) {
      expect((await ask(team, target, bob)).status).toBe(200);
      expect((await ask(team, target, eve)).status).toBe(404);
      expect((await ask(team, target)).status).toBe(401);
      expect((await fromCache(() => ask(team, target, bob))).status).toBe(200);
    }
    await team.reload({ rights: [rule('eve')] });
    for (const target of ['app/manifests/1', `app/manifests/${image.digest}`, `app/blobs/${layer}`]) {
      expect((await ask(team, target, bob)).status).toBe(404);
      expect((await ask(team, target, eve)).status).toBe(200);
    }
  });
});

describe('F91: secrets', () => {
  it('that clients show are in no log, metric, figure, fact, audit line or answer', async () => {
    await using team = await startTeam(ofBob, undefined, { MANIFIX_LOG_LEVEL: 'debug' });
    const secrets = Array.from({ length: scale(100, 1_000) }, () => randomBytes(18).toString('base64url'));
    const ways: readonly ((secret: string) => Promise<HttpAnswer>)[] = [
      (secret) => ask(team, 'app/manifests/1', basicLogin('bob', secret)),
      (secret) => ask(team, 'app/manifests/1', { Authorization: `Bearer ${secret}` }),
      (secret) => ask(team, `app/manifests/1?access_token=${secret}`, bob),
      (secret) => ask(team, `app/blobs/uploads/1?_state=${secret}`, bob, 'PATCH'),
      (secret) => ask(team, 'app/manifests/1', { ...bob, Cookie: `session=${secret}` }),
      (secret) => exchange(team.manifix.url, { target: `/token?service=x&password=${secret}`, headers: eve }),
    ];
    const answers = await Promise.all(secrets.map((secret, at) => (ways[at % ways.length] ?? ways[0])?.(secret)));
    const read = async (target: string) => (await exchange(team.manifix.adminUrl, { target })).body.toString();
    const told = [
      ...answers.map((answer) => `${answer?.headers} ${answer?.body}`),
      await read('/metrics'),
      await read('/usage?by=user'),
      await read('/usage?by=repository'),
      await read('/report'),
    ];
    await team.manifix.terminate();
    const kept = [team.auditFile, createLayout(team.manifix.cacheDir).facts].map((path) => readFile(path, 'latin1'));
    const all = [...told, ...(await Promise.all(kept)), team.manifix.output()].join('\n');
    expect(secrets.filter((secret) => all.includes(secret) || all.includes(btoa(`bob:${secret}`)))).toEqual([]);
    expect(all).not.toContain(bob.Authorization);
  });
});

describe('F93: what is refused', () => {
  it('is refused in the same words whether it is cached, at the registry, or nowhere', async () => {
    await using team = await startTeam({ rights: [{ ...rule('bob'), repositories: ['app'] }] });
    team.registry.content.addImage('tea', '1', image);
    for (const target of ['app/manifests/1', `app/blobs/${layer}`])
      expect((await ask(team, target, bob)).status).toBe(200);
    const asked = team.registry.requests.length;
    const parts = [
      'manifests/1',
      `manifests/${image.digest}`,
      `manifests/${UNKNOWN}`,
      `blobs/${layer}`,
      `blobs/${UNKNOWN}`,
    ];
    const paths = [...parts, 'tags/list', `referrers/${image.digest}`];
    for (const path of paths) {
      for (const headers of [
        eve,
        {},
        { ...eve, Range: 'bytes=0-9' },
        { ...eve, 'If-None-Match': `"${image.digest}"` },
      ]) {
        for (const method of ['GET', 'HEAD']) {
          const places = ['app', 'tea', 'non'].map(async (repository) =>
            seen(await ask(team, `${repository}/${path}`, headers, method), repository),
          );
          const [one, ...others] = await Promise.all(places);
          expect(others).toEqual([one, one]);
        }
      }
    }
    expect(team.registry.requests.length).toBe(asked);
    const denials = (await readFile(team.auditFile, 'utf8')).split('\n').filter((line) => line.includes('"denied"'));
    expect(denials.some((line) => line.includes('"user":"eve"') && line.includes('"repository":"app"'))).toBe(true);
  });
});

describe('F96: a small heap, and a flood of clients that are denied', () => {
  it('are enough for each other, and the audit log stays small', async () => {
    const heap = { NODE_OPTIONS: `--max-old-space-size=${scale(64, 256)}` };
    await using team = await startTeam(ofBob, undefined, heap);
    const clients = Array.from({ length: scale(50, 500) }, async (_, client) => {
      for (let count = 0; count < scale(4, 100); count += 1) {
        expect((await ask(team, `made-up-${client}-${count}/manifests/1`, eve)).status).toBe(404);
      }
    });
    await Promise.all(clients);
    expect((await ask(team, 'app/manifests/1', bob)).status).toBe(200);
    await team.manifix.terminate();
    const lines = (await readFile(team.auditFile, 'utf8')).trimEnd().split('\n');
    const counted = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'denied');
    expect(counted.length).toBeLessThan(200);
    expect(counted.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(scale(50, 500) * scale(4, 100));
    expect(team.manifix.output()).not.toMatch(/heap|FATAL/);
  });
});

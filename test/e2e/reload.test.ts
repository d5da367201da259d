import { writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { barrier, eventually, within } from '../support/deadline.ts';
import { exchange } from '../support/http.ts';
import { sampleImage, sha256 } from '../support/images.ts';
import { basicLogin } from '../support/password-line.ts';
import { startTeam, type TeamSettings } from '../support/team.ts';
import { answerTo, freshBytes, openAnswer, startRequest } from './streaming-client.ts';

const image = sampleImage('oci-amd64');
const MANIFEST = '/v2/team/app/manifests/1';
const bob = basicLogin('bob', 'secret');
const eve = basicLogin('eve', 'secret');

const everything = { who: ['bob', 'eve'], allow: ['pull', 'push', 'list'], repositories: ['**'] };
/** Settings of a team, each unlike the one before, and all of them good to bob. */
const SETTINGS: readonly TeamSettings[] = [
  { rights: [everything] },
  { rights: [{ ...everything, who: ['bob'] }], limits: { requests: '100000/s', perUser: { bandwidth: '100MiB' } } },
  {
    auth: { tokens: true, challenge: 'basic' },
    rights: [{ ...everything, who: ['group:dev'] }],
    limits: { fills: 4, quota: '1GiB', upload: '1GiB' },
  },
  { auth: { tokenTtl: '1m' }, rights: [{ ...everything, who: ['authenticated'] }], limits: { bandwidth: '1GiB' } },
];

/** Clients that ask again and again on one connection each, until they are told to stop. */
function startLoad(url: string, clients: number) {
  const { hostname, port } = new URL(url);
  const seen = { answers: 0, connections: 0, bad: [] as string[] };
  let isOver = false;
  const askOnce = async (agent: Agent, target: string): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const outgoing = request({ hostname, port, path: target, headers: bob, agent }, async (answer) => {
      const body = await buffer(answer).catch((error: Error) => Buffer.from(error.message));
      const right = answer.statusCode === 200 && answer.complete && sha256(body) === image.digest;
      resolve(right ? '' : `${answer.statusCode} ${body}`);
    });
    outgoing.once('socket', () => {
      if (!outgoing.reusedSocket) seen.connections += 1;
    });
    outgoing.once('error', reject);
    outgoing.end();
    const wrong = await promise.catch((error: Error) => error.message);
    seen.answers += 1;
    if (wrong !== '') seen.bad.push(wrong);
  };
  const running = Array.from({ length: clients }, async (_, client) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    // Half of them ask in the same words, which is answered without any question; the others never do.
    for (let count = 0; !isOver; count += 1)
      await askOnce(agent, `${MANIFEST}${client % 2 ? '' : `?${client}-${count}`}`);
    agent.destroy();
  });
  return {
    seen,
    async stop() {
      isOver = true;
      await within('the last answers', Promise.all(running), 30_000);
      return seen;
    },
  };
}

describe('a reload under load', () => {
  it('of logins, rights, limits and usage cuts no connection, and every request gets its answer', async () => {
    const gate = barrier();
    const bytes = freshBytes(300_000);
    await using team = await startTeam(SETTINGS[0], async ({ method, path }) => {
      if (method === 'GET' && path.includes(sha256(bytes))) await gate.passed;
    });
    const { manifix, registry } = team;
    registry.content.putBlob('app', bytes);
    const target = `/v2/team/app/blobs/${sha256(bytes)}`;
    const download = openAnswer(`${manifix.url}${target}`, { headers: bob });
    await registry.requestArrived(({ path }) => path.includes(sha256(bytes)));
    const session = await exchange(manifix.url, {
      method: 'POST',
      target: '/v2/team/new/blobs/uploads/',
      headers: bob,
    });
    const upload = startRequest(new URL(session.header('Location') ?? '', manifix.url).href, { headers: bob });
    const layer = freshBytes(200_000);
    upload.write(layer.subarray(0, 100_000));

    const load = startLoad(manifix.url, 8);
    for (let round = 1; round <= 8; round += 1) {
      const before = load.seen.answers;
      await team.reload(SETTINGS[round % SETTINGS.length] ?? {}, { usage: { keep: `${round}d` } });
      await eventually('more answers', async () => load.seen.answers > before + 8 || undefined);
    }
    gate.release();
    const uploaded = answerTo(upload);
    upload.end(layer.subarray(100_000));
    expect(sha256(await (await download).whole())).toBe(sha256(bytes));
    expect((await uploaded).statusCode).toBe(202);
    const { answers, bad, connections } = await load.stop();
    expect({ bad, connections }).toEqual({ bad: [], connections: 8 });
    expect(answers).toBeGreaterThan(64);
  });

  it('takes a right away with the next request, also from answers that are given again', async () => {
    await using team = await startTeam(SETTINGS[0]);
    const pull = (headers: Record<string, string>) => exchange(team.manifix.url, { target: MANIFEST, headers });
    for (let count = 0; count < 3; count += 1) expect((await pull({ ...eve })).status).toBe(200);
    await team.reload(SETTINGS[1] ?? {});
    expect((await pull({ ...eve })).status).toBe(404);
    expect((await pull({ ...bob })).status).toBe(200);
  });

  it('with a broken file keeps what runs, says what is wrong with it, and cuts nothing', async () => {
    await using team = await startTeam(SETTINGS[0]);
    const { manifix } = team;
    const load = startLoad(manifix.url, 4);
    const broken: readonly (readonly [TeamSettings, RegExp])[] = [
      [{ rights: [{ who: ['bob'], allow: ['fly'], repositories: ['**'] }] }, /^endpoints\[0\]\.rights\[0\]\.allow/m],
      [{ rights: [everything], limits: { requests: 'many' } }, /^endpoints\[0\]\.limits\.requests: expected /m],
      [{ auth: { htpasswd: '/nowhere/users' }, rights: [everything] }, /\/nowhere\/users/m],
    ];
    for (const [settings, complaint] of broken) {
      await team.configure(settings);
      manifix.signal('SIGHUP');
      await manifix.outputMatches(complaint);
      expect((await exchange(manifix.url, { target: MANIFEST, headers: eve })).status).toBe(200);
    }
    await team.configure({ rights: [everything] }, { usage: { keep: 'long' } });
    manifix.signal('SIGHUP');
    await manifix.outputMatches(/^usage\.keep: expected a time/m);
    await writeFile(team.file, 'endpoints: [');
    manifix.signal('SIGHUP');
    await manifix.outputMatches(/(?:^reload: the running configuration stays[\s\S]*?){5}/m);
    const { bad, connections } = await load.stop();
    expect({ bad, connections }).toEqual({ bad: [], connections: 4 });
  });
});

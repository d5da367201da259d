import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTokenKeys, type TokenKeys } from '../../src/auth/token-keys.ts';
import { within } from '../support/deadline.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { login } from './guarded.ts';
import { type Asked, createWorld, type Said, type Side, startSide, type World } from './isolation-world.ts';

// Two worlds live the same life, but in one of them team B does not exist. Team A, and whoever has no credentials, must not be
// able to tell them apart; nor does what operators are told of team A tell of team B.

const [ofA, ...ofB] = [sampleImage('oci-amd64'), sampleImage('index-nomt'), sampleImage('list')];
const everything = [ofA, ...ofB].flatMap((image) => (image === undefined ? [] : [image, ...image.children]));
const digests = everything.map(({ digest }) => digest);
const blobs = everything.flatMap((image) => image.blobs.map(({ digest }) => digest));

/** What team B downloads, and what team A therefore asks for all the more. */
const wanted = (ofB[0]?.children ?? []).flatMap((image) => image.blobs.map(({ digest }) => digest)).slice(0, 2);

const nameOfA = fc.constantFrom('a/app', 'a/open', 'a/z');
const nameOfB = fc.constantFrom('aa/x', 'b/app', 'b/other', 'c');
const anyName = fc.constantFrom('a/app', 'a/open', 'a/none', 'b/app', 'b/other', 'b/none', 'c');
const thing = fc.oneof(
  fc.constantFrom('1', '2', ...digests).map((reference) => `manifests/${reference}`),
  fc.constantFrom(...blobs, ...wanted, ...wanted, ...wanted, ...digests).map((digest) => `blobs/${digest}`),
  fc.constant('tags/list'),
  fc.constantFrom(...digests).map((digest) => `referrers/${digest}`),
);
const questionAbout = (name: fc.Arbitrary<string>) =>
  fc.record({
    name,
    method: fc.constantFrom('GET', 'GET', 'HEAD'),
    path: thing,
    range: fc.constantFrom(undefined, undefined, 'bytes=0-3'),
  });
const change = fc.record({
  name: anyName,
  method: fc.constantFrom('PUT', 'DELETE', 'PATCH'),
  path: fc.constantFrom('manifests/1', `manifests/${digests[0]}`, `blobs/${blobs[0]}`, 'blobs/uploads/some-session'),
});
const mount = fc.record({
  name: anyName,
  method: fc.constant('POST'),
  path: fc.tuple(anyName, fc.constantFrom(...blobs)).map(([from, to]) => `blobs/uploads/?mount=${to}&from=${from}`),
});
const page = fc.record({
  name: fc.constant(''),
  method: fc.constant('GET'),
  path: fc.constantFrom('_catalog', '_catalog?n=1', '_catalog?n=2', '_catalog?n=1&last=a/open'),
});
const askedByA = fc.record({
  kind: fc.constant('asks-a' as const),
  user: fc.constantFrom(undefined, 'ann', 'ann', 'ann'),
  shows: fc.constantFrom('password', 'password', 'token', 'a guess'),
  // Other spellings of a slash, which mean the same.
  slash: fc.constantFrom('/', '/', '/', '%2F', '//'),
  question: fc.oneof(
    { weight: 8, arbitrary: questionAbout(anyName) },
    { weight: 2, arbitrary: change },
    { weight: 2, arbitrary: mount },
    { weight: 2, arbitrary: page },
  ),
});
const asksB = fc.record({ kind: fc.constant('asks-b' as const), question: questionAbout(fc.constant('b/app')) });
const downloadsB = fc.record({ kind: fc.constant('downloads-b' as const), digest: fc.constantFrom(...wanted) });
const step = fc.oneof(
  { weight: 5, arbitrary: askedByA },
  { weight: 3, arbitrary: asksB },
  { weight: 1, arbitrary: downloadsB },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pushes-a' as const), name: nameOfA }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pushes-b' as const),
      name: nameOfB,
      tag: fc.constantFrom('1', '2'),
      image: fc.nat({ max: ofB.length - 1 }),
    }),
  },
);
type Value<Arbitrary> = Arbitrary extends fc.Arbitrary<infer Made> ? Made : never;
type Step = Value<typeof step>;
type AskedByA = Value<typeof askedByA>;

let keys: TokenKeys;
let shared: Side;
let alone: Side;

beforeAll(async () => {
  keys = await openTokenKeys(
    join(tmpdir(), randomUUID(), 'keys.json'),
    () => 0,
    () => undefined,
  );
  [shared, alone] = await Promise.all([startSide(), startSide()]);
});
afterAll(() => Promise.all([shared[Symbol.asyncDispose](), alone[Symbol.asyncDispose]()]));

const isAllowed = ({ user, shows, question: { name, path } }: AskedByA) =>
  shows !== 'a guess' && (path.startsWith('_catalog') || name.startsWith(user === 'ann' ? 'a/' : 'a/open'));

/** What a token says, but for what is never the same twice. */
function saidIn(token: string): object {
  const { jti: _, ...claims } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return claims;
}

async function askAs(side: Side, { user, shows, slash, question }: AskedByA) {
  const { name, method, path } = question;
  const range = 'range' in question ? question.range : undefined;
  const owner = user ?? 'nobody';
  const basic = shows === 'a guess' ? { Authorization: login(owner, 'guess') } : { Authorization: login(owner) };
  const shown = user === undefined && shows !== 'a guess' ? {} : basic;
  const asked = (target: string, headers: Asked['headers'], how = 'GET') =>
    side.ask({ method: how, target, headers: { Accept: manifestTypes.join(', '), ...headers } });
  const target = `/v2/${name === '' ? '' : `${name.replace('/', slash)}/`}${path}`;
  const ranged = range === undefined ? {} : { Range: range };
  if (shows !== 'token') return { answer: await asked(target, { ...shown, ...ranged }, method) };
  const scope = name === '' ? 'registry:catalog:*' : `repository:${name}:pull,push,delete`;
  const given = await asked(`/token?service=default&scope=${scope}`, shown);
  const { token } = JSON.parse(given.body.toString());
  const answer = await asked(target, { ...ranged, Authorization: `Bearer ${token}` }, method);
  return { token: { status: given.status, claims: saidIn(token) }, answer };
}

/** Team B, which lives in one of the worlds. */
function createTeamB(world: World) {
  let download: Promise<Said> | undefined;
  let served = 0;
  const asking = (method: string, path: string, range?: string): Asked => ({
    method,
    target: `/v2/b/app/${path}`,
    headers: { Accept: manifestTypes.join(', '), Authorization: login('bea'), ...(range && { Range: range }) },
  });
  return {
    get isDownloading() {
      return download !== undefined;
    },
    async ask({ method, path, range }: Value<typeof asksB>['question']): Promise<void> {
      // Whoever joins a download that is held up would wait for it.
      if (download !== undefined && path.startsWith('blobs/')) return;
      served += (await shared.ask(asking(method, path, range))).status < 300 ? 1 : 0;
    },
    /** Starts one that lasts as long as the history, unless the answer comes from the cache. */
    async startDownload(digest: string): Promise<void> {
      if (download !== undefined) return;
      const before = world.ended();
      const held = world.hold();
      const answer = shared.send(asking('GET', `blobs/${digest}`));
      answer.catch(() => undefined);
      const isHeld = await within('the download', Promise.race([held.then(() => true), answer.then(() => false)]));
      if (isHeld) {
        download = answer;
      } else {
        world.release();
        await world.endsOf(before + 1);
      }
    },
    /** How much it was served. */
    async end(): Promise<number> {
      world.release();
      return served + ((await download)?.status === 200 ? 1 : 0);
    },
  };
}

const opened = (world: World, { status, headers, body }: Said) => ({
  status,
  headers: headers.map(([name, value]) => [name, world.opened(value)]),
  body: body.toString('latin1'),
});

it('team A can tell in nothing whether team B exists', { timeout: 600_000 }, async () => {
  const seen = { same: 0, denied: 0, allowed: 0, tokens: 0, servedToB: 0, duringDownloads: 0 };

  async function compare(here: World, there: World, one: AskedByA, isDownloading: boolean): Promise<void> {
    const outcomes = [];
    for (const [side, world] of [
      [shared, here],
      [alone, there],
    ] as const) {
      world.told();
      const before = world.effort();
      const { token, answer } = await askAs(side, one);
      const { questions, looks } = world.effort();
      outcomes.push({ said: opened(world, answer), token, told: world.told() });
      if (token !== undefined) seen.tokens += 1;
      // What a download does meanwhile is counted as well.
      if (!isAllowed(one) && !isDownloading) expect({ questions, looks }).toEqual(before);
      if (one.question.method === 'POST') expect(answer.body.toString()).not.toMatch(/from=(?:b|c)/);
    }
    expect(outcomes[0]).toEqual(outcomes[1]);
    seen.same += 1;
    seen.duringDownloads += isDownloading ? 1 : 0;
    if (isAllowed(one)) seen.allowed += outcomes[0]?.said.status === 200 ? 1 : 0;
    else seen.denied += 1;
  }

  async function take(here: World, there: World, teamB: ReturnType<typeof createTeamB>, one: Step): Promise<void> {
    switch (one.kind) {
      case 'asks-a':
        return compare(here, there, one, teamB.isDownloading);
      case 'asks-b':
        return teamB.ask(one.question);
      case 'downloads-b':
        return teamB.startDownload(one.digest);
      case 'pushes-b':
        return here.push(one.name, one.tag, ofB[one.image] ?? ofA);
      case 'pushes-a':
        for (const world of [here, there]) world.push(one.name, '1', ofA);
    }
  }

  async function live(history: readonly Step[]): Promise<void> {
    const [here, there] = [createWorld(keys), createWorld(keys)];
    shared.use(here);
    alone.use(there);
    for (const world of [here, there]) world.push('a/app', '1', ofA);
    here.push('b/app', '1', ofB[0] ?? ofA);
    const teamB = createTeamB(here);
    for (const one of history) await take(here, there, teamB, one);
    seen.servedToB += await teamB.end();
  }

  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 18 }), live), { numRuns: 1_000 });
  // A life in which nothing is served or denied would prove nothing.
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(200);
});

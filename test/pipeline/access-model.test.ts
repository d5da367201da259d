import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { headerValue } from '../../src/domain/headers.ts';
import { createEndpointRoutes } from '../../src/http/endpoint-routes.ts';
import { createReadyAnswers } from '../../src/http/ready-answers.ts';
import { createTokenMemory } from '../../src/http/token-memory.ts';
import { createDispatch } from '../../src/pipeline/dispatch.ts';
import { createMemories } from '../../src/pipeline/memories.ts';
import type { Upstream } from '../../src/pipeline/ports.ts';
import { createGrants } from '../../src/store/grants.ts';
import { startEdge } from '../http/edge.ts';
import type { FakeAnswer } from '../support/fake-upstream.ts';
import { fakeServices } from '../support/fakes.ts';
import { type GuardedRegistry, guardedRegistry, KEY_FIELD, listOf } from '../support/guarded-registry.ts';
import { exchange } from '../support/http.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { createScene, fakeEndpoint } from '../support/scene.ts';

/** How long a right may outlive itself: as docs/upstreams.md says. */
const GRANT_TTL = 60_000;
const READY_FOR = 1_000;

/** The token that everybody gets. */
const everybody = 'Bearer everybody';
const callers = ['', 'Basic alice', 'Basic bob', 'Bearer carol', 'Key dora', everybody] as const;
const repositories = ['public/app', 'team/app'] as const;
/** Ways to the same registry. */
const prefixes = ['', 'mirror/'] as const;
const images = [sampleImage('oci-amd64'), sampleImage('index-nomt')];
const imageAt = (index: number) => images[index] ?? sampleImage('index-nomt');
const tags = ['1', '2'];
const manifests = images.flatMap((image) => [image, ...image.children]);
const blobs = manifests.flatMap((image) => image.blobs);
// The registry cannot be asked whether these are signed, so that an index gets its mediaType in any case.
const force = { 'index-without-mediatype': { mode: 'on' as const, options: { force: 'yes', delete: 'refuse' } } };
const derived = await derivedOf(sampleImage('index-nomt'));
const contents = [...[...manifests, ...blobs, derived].map(({ bytes }) => bytes), ...repositories.map(listOf)];

/** What manifix makes of an index without mediaType. */
async function derivedOf({ bytes, mediaType }: { readonly bytes: Buffer; readonly mediaType: string }) {
  const scene = createScene({ settings: force });
  scene.upstream.serve('app', '1', bytes, mediaType);
  const { headers, body } = await scene.ask('GET', '/v2/app/manifests/1', [['Accept', manifestTypes.join(', ')]]);
  return { digest: headerValue(headers, 'Docker-Content-Digest') ?? '', bytes: body };
}

const caller = fc.constantFrom(...callers);
const repository = fc.constantFrom(...repositories);
const reference = fc.oneof(
  fc.constantFrom(...tags, derived.digest, ...manifests.map(({ digest }) => digest)).map((name) => `manifests/${name}`),
  fc.constantFrom(...blobs.map(({ digest }) => digest)).map((digest) => `blobs/${digest}`),
  fc.constantFrom(...images.map(({ digest }) => `referrers/${digest}`)),
);
const read = fc.record({
  kind: fc.constant('read' as const),
  method: fc.constantFrom('GET', 'GET', 'HEAD'),
  prefix: fc.constantFrom(...prefixes),
  caller,
  repository,
  reference,
  range: fc.constantFrom(undefined, undefined, 'bytes=0-4', 'bytes=-3'),
});

const step = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('push' as const),
      repository,
      image: fc.nat({ max: images.length - 1 }),
      tag: fc.constantFrom(...tags),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('allow' as const, 'revoke' as const), caller, repository }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      milliseconds: fc.constantFrom(500, 2_000, 30_000, GRANT_TTL + READY_FOR),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('restart' as const, 'reload' as const, 'fail' as const, 'recover' as const),
      failing: fc.constantFrom('silent' as const, 429, 500, 503),
    }),
  },
  { weight: 12, arbitrary: read },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('together' as const), read, callers: fc.constant(callers) }),
  },
);

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;
type Read = Extract<Step, { kind: 'read' }>;

/** Nothing of any content, and the registry's own status and code while it answers. */
function expectRefusal(method: string, status: number, body: Buffer, direct: FakeAnswer | undefined): void {
  expect(status).toBeGreaterThanOrEqual(400);
  for (const content of contents) expect(body.includes(content)).toBe(false);
  if (direct === undefined) return;
  expect(status).toBe(direct.status);
  if (method === 'HEAD') expect(body.length).toBe(0);
  else expect(codeIn(body)).toBe(codeIn(direct.body));
}

function codeIn(body: FakeAnswer['body']): string {
  return JSON.parse(String(body)).errors[0].code;
}

/** The registry as a client of it sees it, whose blobs take some turns, so that others come while they are on their way. */
function clientOf(registry: GuardedRegistry): Upstream {
  async function* slowly(body: Readable) {
    for (let turns = 0; turns < 8; turns += 1) await turn();
    yield* body;
  }
  return {
    ...registry,
    async request(asked) {
      const answer = await registry.request(asked);
      const isBlob = asked.method === 'GET' && asked.path.includes('/blobs/');
      return isBlob ? { ...answer, body: Readable.from(slowly(answer.body), { objectMode: false }) } : answer;
    },
  };
}

/** A manifix that is told what happens in the world, and checked at every read. */
async function startModel() {
  const registry = guardedRegistry();
  const services = fakeServices();
  const now = () => services.clock.now;
  const startUp = () => {
    const [grants, memories] = [createGrants(now), createMemories(now)];
    return { grants, memories, dispatch: createDispatch({ ...services, ...memories, grants }) };
  };
  const startEdges = () => {
    const upstream = clientOf(registry);
    const ways = prefixes.map((prefix) => ({
      endpoint: { ...fakeEndpoint(upstream, force), name: prefix === '' ? 'default' : 'mirror' },
      ...(prefix === '' ? {} : { prefix: prefix.slice(0, -1) }),
      ns: [],
      isDefault: prefix === '',
    }));
    const tokenMemory = createTokenMemory({ now });
    tokenMemory.anonymous.note('registry', { token: 'everybody', lifetime: Number.MAX_SAFE_INTEGER });
    const overrides = { endpoints: createEndpointRoutes(ways), ready: createReadyAnswers(now), tokenMemory };
    return startEdge((one) => process.dispatch(one), overrides);
  };
  let process = startUp();
  let edge = await startEdges();
  const revoked = new Map<string, number>();
  const everOpen = new Set<string>();
  const served = { withRight: 0, refused: 0 };

  async function renew(isRestart: boolean): Promise<void> {
    await edge[Symbol.asyncDispose]();
    if (isRestart) process = startUp();
    process.grants.clear();
    process.memories.clear();
    edge = await startEdges();
  }
  function push(repository: string, tag: string, image: (typeof images)[number]): void {
    for (const one of [...image.children, image]) {
      registry.putManifest(repository, one === image ? tag : one.digest, one.bytes, one.mediaType);
      for (const blob of one.blobs) registry.putBlob(repository, blob.bytes);
    }
  }
  async function ask({ method, prefix, caller, repository, reference, range }: Read) {
    const headers = [
      ['Accept', manifestTypes.join(', ')] as const,
      ...(caller === '' ? [] : [[caller.startsWith('Key ') ? KEY_FIELD : 'Authorization', caller] as const]),
      ...(range === undefined ? [] : [['Range', range] as const]),
    ];
    const { status, body } = await exchange(edge.url, {
      method,
      target: `/v2/${prefix}${repository}/${reference}`,
      headers,
    });
    return { status, body, direct: registry.answerTo({ method, path: `/v2/${repository}/${reference}`, headers }) };
  }
  async function checkRead(asked: Read): Promise<void> {
    const { caller, repository, reference, method, range } = asked;
    const { status, body, direct } = await ask(asked);
    const fails = registry.failing !== undefined;
    if (registry.mayRead(caller, repository)) {
      if (status < 300) served.withRight += 1;
      if (!fails && direct.status === 200) expect(status).toBeOneOf(range === undefined ? [200] : [200, 206]);
    } else if (!mayStillRead(caller, repository) && !(reference.startsWith('referrers/') && isOpen(repository))) {
      served.refused += 1;
      expectRefusal(method, status, body, fails ? undefined : direct);
    }
  }
  /** For a moment after a right ended; and what was open to all, while the registry cannot say that it is not any more. */
  function mayStillRead(caller: string, repository: string): boolean {
    const lostAt = revoked.get(`${caller} ${repository}`) ?? Number.NEGATIVE_INFINITY;
    const isOpen = registry.failing !== undefined && everOpen.has(repository);
    return now() - lostAt < GRANT_TTL + READY_FOR || isOpen;
  }
  /** A list that everybody may have is given to all. */
  function isOpen(repository: string): boolean {
    return ['', everybody].some((one) => registry.mayRead(one, repository) || mayStillRead(one, repository));
  }
  async function take(one: Step): Promise<void> {
    switch (one.kind) {
      case 'push':
        return push(one.repository, one.tag, imageAt(one.image));
      case 'allow':
        if (one.caller === '' || one.caller === everybody) everOpen.add(one.repository);
        return registry.allow(one.caller, one.repository);
      case 'revoke':
        if (registry.mayRead(one.caller, one.repository)) revoked.set(`${one.caller} ${one.repository}`, now());
        return registry.revoke(one.caller, one.repository);
      case 'wait':
        services.clock.now += one.milliseconds;
        return;
      case 'restart':
      case 'reload':
        return renew(one.kind === 'restart');
      case 'fail':
        registry.failing = one.failing;
        return;
      case 'recover':
        registry.failing = undefined;
        return;
      case 'read':
        return checkRead(one);
      case 'together':
        return void (await Promise.all(one.callers.map((caller) => checkRead({ ...one.read, caller }))));
    }
  }
  return { registry, served, push, ask, take, [Symbol.asyncDispose]: () => edge[Symbol.asyncDispose]() };
}

it('nobody without a right gets anything from the cache, whatever happened before', async () => {
  const total = { withRight: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (history) => {
      await using model = await startModel();
      for (const [index, name] of repositories.entries()) {
        model.push(name, '1', imageAt(index));
        for (const one of ['Basic alice', 'Bearer carol']) model.registry.allow(one, name);
      }
      for (const one of history) await model.take(one);
      total.withRight += model.served.withRight;
      total.refused += model.served.refused;
    }),
    { numRuns: 120 },
  );
  // A model in which nothing is served or refused would prove nothing.
  expect(total.withRight).toBeGreaterThan(200);
  expect(total.refused).toBeGreaterThan(200);
}, 600_000);

it('a caller without the right gets the same answer whether the content is cached or not', async () => {
  const asked = { kind: 'read', method: 'GET', prefix: '', repository: 'team/app', range: undefined } as const;
  const names = [
    'manifests/1',
    `manifests/${derived.digest}`,
    ...manifests.map(({ digest }) => `manifests/${digest}`),
    ...blobs.map(({ digest }) => `blobs/${digest}`),
    ...images.map(({ digest }) => `referrers/${digest}`),
  ];
  for (const caller of ['', 'Basic bob'] as const) {
    for (const reference of names) {
      for (const method of ['GET', 'HEAD'] as const) {
        await using warm = await startModel();
        await using cold = await startModel();
        for (const model of [warm, cold]) {
          for (const image of images) model.push('team/app', '1', image);
          model.registry.allow('Basic alice', 'team/app');
        }
        await warm.ask({ ...asked, caller: 'Basic alice', reference: 'manifests/1' });
        await warm.ask({ ...asked, caller: 'Basic alice', reference });
        const question = { ...asked, method, caller, reference };
        expect(await warm.ask(question)).toEqual(await cold.ask(question));
      }
    }
  }
}, 600_000);

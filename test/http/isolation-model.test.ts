import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { arrive } from '../../src/http/arrival.ts';
import { trustCheck } from '../../src/http/client.ts';
import { createCursors } from '../../src/http/cursors.ts';
import { createEndpointRoutes } from '../../src/http/endpoint-routes.ts';
import { identify } from '../../src/http/identify.ts';
import { openExchange } from '../../src/http/open-exchange.ts';
import { openPassage } from '../../src/http/passage.ts';
import { answerError } from '../../src/http/respond.ts';
import { parseTarget } from '../../src/http/routes.ts';
import { createTokenMemory } from '../../src/http/token-memory.ts';
import { createDispatch } from '../../src/pipeline/dispatch.ts';
import type { Services, Upstream, UpstreamRequest } from '../../src/pipeline/ports.ts';
import { type FakeServices, fakeServices } from '../support/fakes.ts';
import { guardedRegistry } from '../support/guarded-registry.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { bytesOf, fakeEndpoint } from '../support/scene.ts';
import { allows, guardOf, login } from './guarded.ts';

// Two worlds live the same life, but in one of them team B does not exist. Team A, and whoever has no credentials, must not be
// able to tell them apart.

const rights = [
  allows('everybody', 'pull', 'a/open'),
  allows('ann', 'pull push delete list', 'a/**'),
  allows('bea', 'pull push delete list', 'b/**'),
];
const [ofA, ...ofB] = [sampleImage('oci-amd64'), sampleImage('index-nomt'), sampleImage('list')];
const everything = [ofA, ...ofB].flatMap((image) => (image === undefined ? [] : [image, ...image.children]));
const digests = everything.map(({ digest }) => digest);
const blobs = everything.flatMap((image) => image.blobs.map(({ digest }) => digest));

const [nameOfA, nameOfB] = [
  ['a/app', 'a/open', 'a/z'],
  ['aa/x', 'b/app', 'b/other', 'c'],
].map((names) => fc.constantFrom(...names));
const anyName = fc.constantFrom('a/app', 'a/open', 'a/none', 'b/app', 'b/other', 'b/none', 'c');
const thing = fc.oneof(
  fc.constantFrom('1', '2', ...digests).map((reference) => `manifests/${reference}`),
  fc.constantFrom(...blobs).map((digest) => `blobs/${digest}`),
  fc.constant('tags/list'),
  fc.constantFrom(...digests).map((digest) => `referrers/${digest}`),
  fc.constantFrom(...blobs, ...digests).map((digest) => `blobs/${digest}`),
);
const questionAbout = (name: fc.Arbitrary<string>) =>
  fc.record({
    method: fc.constantFrom('GET', 'GET', 'HEAD'),
    path: fc.tuple(name, thing).map((parts) => parts.join('/')),
    range: fc.constantFrom(undefined, undefined, 'bytes=0-3'),
  });
const question = questionAbout(anyName);
const mount = fc
  .tuple(anyName, anyName, fc.constantFrom(...blobs))
  .map(([to, from, digest]) => ({ method: 'POST', path: `${to}/blobs/uploads/?mount=${digest}&from=${from}` }));
const catalogue = fc.constantFrom('_catalog', '_catalog?n=1', '_catalog?n=2', '_catalog?n=1&last=a/open');
const pages = catalogue.map((path) => ({ method: 'GET', path }));

const askedByA = fc.record({
  kind: fc.constant('asks-a' as const),
  user: fc.constantFrom(undefined, 'ann', 'ann', 'ann'),
  question: fc.oneof(
    { weight: 6, arbitrary: question },
    { weight: 2, arbitrary: mount },
    { weight: 2, arbitrary: pages },
  ),
});
const step = fc.oneof(
  { weight: 5, arbitrary: askedByA },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('asks-b' as const), question: questionAbout(fc.constant('b/app')) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('pushes-a' as const), name: nameOfA ?? anyName, tag: fc.constant('1') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pushes-b' as const),
      name: nameOfB ?? anyName,
      tag: fc.constantFrom('1', '2'),
      image: fc.nat({ max: ofB.length - 1 }),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

interface Question {
  readonly method: string;
  readonly path: string;
  readonly range?: string | undefined;
}

/** Services that count what is looked for in the store. */
function counted(services: FakeServices): { services: Services; looked: () => number } {
  let looks = 0;
  const counting = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get(target, key, receiver) {
        const member: unknown = Reflect.get(target, key, receiver);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          looks += 1;
          return member.apply(target, args);
        };
      },
    });
  const { blobs: files, manifests, facts } = services;
  return {
    services: { ...services, blobs: counting(files), manifests: counting(manifests), facts: counting(facts) },
    looked: () => looks,
  };
}

function createWorld() {
  const registry = guardedRegistry();
  const tags = new Map<string, Set<string>>();
  let questions = 0;
  const listed = (body: object, headers: HeaderList = []) => ({
    status: 200,
    headers: [['Content-Type', 'application/json'] as const, ...headers],
    body: Readable.from([Buffer.from(JSON.stringify(body))], { objectMode: false }),
    redirected: false,
  });
  function listFor(path: string) {
    const { pathname, searchParams } = new URL(path, 'http://registry.test');
    if (pathname === '/v2/_catalog') {
      const last = searchParams.get('last') ?? '';
      const n = Number(searchParams.get('n') ?? 100);
      const names = [...tags.keys()].toSorted().filter((name) => name > last);
      const more =
        names.length > n ? [['Link', `</v2/_catalog?n=${n}&last=${names[n - 1]}>; rel="next"`] as const] : [];
      return listed({ repositories: names.slice(0, n) }, more);
    }
    const [, name = '', kind] = /^\/v2\/(.+)\/(tags\/list|referrers\/.*)$/.exec(pathname) ?? [];
    if (kind === undefined || !tags.has(name)) return undefined;
    return kind === 'tags/list' ? listed({ name, tags: [...(tags.get(name) ?? [])] }) : listed({ manifests: [] });
  }
  const upstream: Upstream = {
    ...registry,
    authority: 'own',
    async request(request: UpstreamRequest) {
      questions += 1;
      return listFor(request.path) ?? registry.request({ ...request, headers: [] });
    },
  };
  const endpoint = { ...fakeEndpoint(upstream), guard: guardOf(rights) };
  const endpoints = createEndpointRoutes([{ endpoint, ns: [], isDefault: true }]);
  const trusts = trustCheck([]);
  const cursors = createCursors();
  const { services, looked } = counted(fakeServices());
  const dispatch = createDispatch(services);

  async function answerTo(user: string | undefined, { method, path, range }: Question) {
    const incoming = Object.assign(new IncomingMessage(new Socket()), { method });
    const headers: HeaderList = [
      ['Host', 'manifix.test'],
      ['Accept', manifestTypes.join(', ')],
      ...(user === undefined ? [] : [['Authorization', login(user)] as const]),
      ...(range === undefined ? [] : [['Range', range] as const]),
    ];
    try {
      const arrival = arrive({ endpoints, trusts }, incoming, headers, parseTarget(`/v2/${path}`));
      const identity = await identify(arrival, incoming, headers, trusts, []);
      const passage = openPassage(cursors, arrival, identity, []);
      if (method === 'POST') return { status: 0, headers: [], body: Buffer.from(passage.target.query) };
      const parts = { applied: [], incoming, outgoing: new ServerResponse(incoming) };
      const known = { id: 'run-1', tokens: createTokenMemory(), client: '', address: '' };
      const answer = await passage.back(await dispatch(openExchange(passage, parts, headers, known)));
      return { status: answer.status, headers: answer.headers, body: await bytesOf(answer.body) };
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      const { status, headers: fields, body } = answerError(error, method);
      return { status, headers: fields, body: await bytesOf(body) };
    }
  }
  return {
    push(name: string, tag: string, image: (typeof everything)[number]) {
      registry.allow('', name);
      tags.set(name, (tags.get(name) ?? new Set()).add(tag));
      for (const one of [...image.children, image]) {
        registry.putManifest(name, one === image ? tag : one.digest, one.bytes, one.mediaType);
        for (const blob of one.blobs) registry.putBlob(name, blob.bytes);
      }
    },
    /** The answer, with cursors opened: no two of them look the same. */
    async ask(user: string | undefined, asked: Question) {
      const before = { questions, looks: looked() };
      const { status, headers, body } = await answerTo(user, asked);
      const opened = headers.map(([name, value]) => [
        name,
        value.replace(
          /last=(~[^>&]*)/,
          (_, sealed: string) => `last=${cursors.open(endpoint, '', decodeURIComponent(sealed))}`,
        ),
      ]);
      return {
        said: { status, headers: opened, body: body.toString('latin1') },
        effort: { questions: questions - before.questions, looks: looked() - before.looks },
      };
    },
  };
}

type World = ReturnType<typeof createWorld>;

const allowed = (user: string | undefined, path: string) =>
  path.startsWith('_catalog') || (user === 'ann' ? path.startsWith('a/') : path.startsWith('a/open/'));

it('team A can tell in nothing whether team B exists', { timeout: 240_000 }, async () => {
  const seen = { same: 0, denied: 0, servedToB: 0 };

  async function compare(shared: World, alone: World, user: string | undefined, asked: Question): Promise<void> {
    const [here, there] = [await shared.ask(user, asked), await alone.ask(user, asked)];
    expect(here.said).toEqual(there.said);
    // What goes on to the registry is not answered here.
    if (asked.method === 'POST') expect(here.said.body).not.toMatch(/from=(?:b|c)/);
    seen.same += 1;
    if (allowed(user, asked.path)) return;
    seen.denied += 1;
    for (const { effort } of [here, there]) expect(effort).toEqual({ questions: 0, looks: 0 });
  }

  async function take(shared: World, alone: World, one: Step): Promise<void> {
    switch (one.kind) {
      case 'pushes-b':
        return shared.push(one.name, one.tag, ofB[one.image] ?? ofA);
      case 'pushes-a':
        for (const world of [shared, alone]) world.push(one.name, one.tag, ofA);
        return;
      case 'asks-b':
        seen.servedToB += (await shared.ask('bea', one.question)).said.status === 200 ? 1 : 0;
        return;
      case 'asks-a':
        return compare(shared, alone, one.user, one.question);
    }
  }

  async function live(history: readonly Step[]): Promise<void> {
    const [shared, alone] = [createWorld(), createWorld()];
    for (const world of [shared, alone]) world.push('a/app', '1', ofA);
    shared.push('b/app', '1', ofB[0] ?? ofA);
    for (const one of history) await take(shared, alone, one);
  }

  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 24 }), live), { numRuns: 1_000 });
  // A life in which nothing is served or denied would prove nothing.
  expect(Math.min(seen.same, seen.denied, seen.servedToB)).toBeGreaterThan(1_000);
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { answerError } from '../../src/http/respond.ts';
import { createDispatch } from '../../src/pipeline/dispatch.ts';
import { createGrants } from '../../src/store/grants.ts';
import type { FakeAnswer } from '../support/fake-upstream.ts';
import { fakeServices } from '../support/fakes.ts';
import { guardedRegistry } from '../support/guarded-registry.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { bytesOf, fakeEndpoint, fakeExchange } from '../support/scene.ts';

/** How long a right may outlive itself: as docs/upstreams.md says. */
const GRANT_TTL = 60_000;

const callers = ['', 'Basic alice', 'Basic bob'] as const;
const repositories = ['public/app', 'team/app', 'team/other'] as const;
const images = [sampleImage('oci-amd64'), sampleImage('index-nomt'), sampleImage('list')];
const tags = ['1', '2'];
const manifests = images.flatMap((image) => [image, ...image.children]);
const blobs = manifests.flatMap((image) => image.blobs);
const contents = [...manifests, ...blobs].map(({ bytes }) => bytes);

const caller = fc.constantFrom(...callers);
const repository = fc.constantFrom(...repositories);
const reference = fc.oneof(
  fc.constantFrom(...tags, ...manifests.map(({ digest }) => digest)).map((name) => `manifests/${name}`),
  fc.constantFrom(...blobs.map(({ digest }) => digest)).map((digest) => `blobs/${digest}`),
);

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
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('allow' as const, 'revoke' as const), caller, repository }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), milliseconds: fc.integer({ min: 1, max: 90_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('restart' as const, 'fail' as const, 'recover' as const) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      method: fc.constantFrom('GET', 'GET', 'HEAD'),
      caller,
      repository,
      reference,
      range: fc.constantFrom(undefined, undefined, 'bytes=0-4', 'bytes=-3'),
    }),
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

/** A manifix that is told what happens in the world, and checked at every read. */
function createModel() {
  const registry = guardedRegistry();
  const services = fakeServices();
  const start = () => createDispatch({ ...services, grants: createGrants(() => services.clock.now) });
  // The registry cannot be asked whether these are signed, so that an index gets its mediaType in any case.
  const force = { 'index-without-mediatype': { mode: 'on' as const, options: { force: 'yes', delete: 'refuse' } } };
  const endpoint = fakeEndpoint(registry, force);
  let dispatch = start();
  const revoked = new Map<string, number>();
  const everOpen = new Set<string>();
  const served = { withRight: 0, refused: 0 };

  function push(repository: string, tag: string, image: (typeof images)[number]): void {
    for (const one of [...image.children, image]) {
      registry.putManifest(repository, one === image ? tag : one.digest, one.bytes, one.mediaType);
      for (const blob of one.blobs) registry.putBlob(repository, blob.bytes);
    }
  }
  async function read({ method, caller, repository, reference, range }: Read) {
    const headers: HeaderList = [
      ['Accept', manifestTypes.join(', ')],
      ...(caller === '' ? [] : [['Authorization', caller] as const]),
      ...(range === undefined ? [] : [['Range', range] as const]),
    ];
    const target = `/v2/${repository}/${reference}`;
    const given = await dispatch(fakeExchange(endpoint, method, target, headers)).catch((error: unknown) => {
      if (error instanceof RegistryError) return answerError(error, method);
      throw error;
    });
    const body = await bytesOf(given.body);
    return {
      status: given.status,
      body,
      cache: given.cache,
      direct: registry.answerTo({ method, path: target, headers }),
    };
  }
  async function checkRead(asked: Read): Promise<void> {
    const { caller, repository, method, range } = asked;
    const { status, body, direct } = await read(asked);
    if (registry.mayRead(caller, repository)) {
      if (status < 300) served.withRight += 1;
      const missing = registry.down || direct.status !== 200;
      if (!missing) expect(status).toBeOneOf(range === undefined ? [200] : [200, 206]);
    } else if (!mayStillRead(caller, repository)) {
      served.refused += 1;
      expectRefusal(method, status, body, registry.down ? undefined : direct);
    }
  }
  /** For a moment after a right ended; and what was open to all, while the registry cannot say that it is not any more. */
  function mayStillRead(caller: string, repository: string): boolean {
    const lostAt = revoked.get(`${caller} ${repository}`) ?? Number.NEGATIVE_INFINITY;
    return services.clock.now - lostAt < GRANT_TTL || (registry.down && everOpen.has(repository));
  }
  async function take(one: Step): Promise<void> {
    switch (one.kind) {
      case 'push':
        return push(one.repository, one.tag, images[one.image] ?? sampleImage('list'));
      case 'allow':
        if (one.caller === '') everOpen.add(one.repository);
        return registry.allow(one.caller, one.repository);
      case 'revoke':
        if (registry.mayRead(one.caller, one.repository))
          revoked.set(`${one.caller} ${one.repository}`, services.clock.now);
        return registry.revoke(one.caller, one.repository);
      case 'wait':
        services.clock.now += one.milliseconds;
        return;
      case 'restart':
        dispatch = start();
        return;
      case 'fail':
        registry.down = true;
        return;
      case 'recover':
        registry.down = false;
        return;
      case 'read':
        return checkRead(one);
    }
  }
  return { registry, served, push, read, take };
}

it('nobody without a right gets anything from the cache, whatever happened before', async () => {
  const total = { withRight: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (history) => {
      const model = createModel();
      for (const [index, name] of repositories.entries()) {
        model.push(name, '1', images[index] ?? sampleImage('list'));
        model.registry.allow('Basic alice', name);
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
});

it('a caller without the right gets the same answer whether the content is cached or not', async () => {
  const read = { kind: 'read', method: 'GET', repository: 'team/app', range: undefined } as const;
  for (const caller of ['', 'Basic bob'] as const) {
    for (const name of [
      'manifests/1',
      ...manifests.map(({ digest }) => `manifests/${digest}`),
      ...blobs.map(({ digest }) => `blobs/${digest}`),
    ]) {
      for (const method of ['GET', 'HEAD'] as const) {
        const [warm, cold] = [createModel(), createModel()];
        for (const model of [warm, cold]) {
          for (const image of images) model.push('team/app', '1', image);
          model.registry.allow('Basic alice', 'team/app');
        }
        await warm.read({ ...read, caller: 'Basic alice', reference: name });
        const asked = { ...read, method, caller, reference: name };
        expect(await warm.read(asked)).toEqual(await cold.read(asked));
      }
    }
  }
});

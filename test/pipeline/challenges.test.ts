import { expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import type { RepositoryName } from '../../src/domain/reference.ts';
import { createChallenges } from '../../src/pipeline/challenges.ts';
import { barrier } from '../support/deadline.ts';
import { errorAnswer, fakeUpstream } from '../support/fake-upstream.ts';
import { fakeServices } from '../support/fakes.ts';

const app = 'app' as RepositoryName;
const wants = (...challenges: readonly string[]) => {
  const headers: HeaderList = challenges.map((challenge) => ['WWW-Authenticate', challenge] as const);
  return errorAnswer(401, 'UNAUTHORIZED', 'no', headers);
};

function scene() {
  const clock = { now: 0 };
  return { clock, upstream: fakeUpstream(), challenges: createChallenges(() => clock.now) };
}

it('a challenge is learnt once and asked for again after five minutes, because a registry may move its tokens', async () => {
  const { clock, upstream, challenges } = scene();
  upstream.on('GET', '/v2/', wants('Bearer realm="https://old.example.com/token"'));
  const realm = async () => (await challenges.of(upstream))?.parameters.get('realm');
  expect(await realm()).toBe('https://old.example.com/token');
  upstream.on('GET', '/v2/', wants('Bearer realm="https://new.example.com/token"'));
  clock.now = 299_999;
  expect(await realm()).toBe('https://old.example.com/token');
  clock.now = 300_000;
  expect(await realm()).toBe('https://new.example.com/token');
  expect(upstream.asked()).toEqual(['GET /v2/', 'GET /v2/']);
});

it('a registry that opens /v2/ to all is asked about the repository', async () => {
  const { upstream, challenges } = scene();
  upstream.on('GET', '/v2/', { status: 200 });
  expect(await challenges.of(upstream)).toBeUndefined();
  upstream.on('GET', '/v2/app/tags/list', wants('Basic realm="registry"'));
  expect(await challenges.of(upstream, app)).toMatchObject({ scheme: 'Basic' });
  expect(upstream.asked()).toEqual(['GET /v2/', 'GET /v2/', 'GET /v2/app/tags/list']);
});

it('a registry that wants nothing, or what no client knows, is asked again each time', async () => {
  const { upstream, challenges } = scene();
  for (const answer of [{ status: 200 }, wants('Negotiate'), wants('Bearer')]) {
    upstream.on('GET', '/v2/ /v2/app/tags/list', answer);
    expect(await challenges.of(upstream, app)).toBeUndefined();
  }
});

it('a registry that does not answer wants what it wanted last, and the reason is told when it never said anything', async () => {
  const { clock, upstream, challenges } = scene();
  upstream.on('GET', '/v2/', { status: 503 });
  await expect(challenges.of(upstream)).rejects.toMatchObject({ status: 503 });
  upstream.on('GET', '/v2/', wants('Basic realm="registry"'));
  await challenges.of(upstream);
  clock.now = 300_000;
  upstream.on('GET', '/v2/', { status: 503 });
  expect(await challenges.of(upstream)).toMatchObject({ scheme: 'Basic' });
  upstream.down = true;
  expect(await challenges.of(upstream)).toMatchObject({ scheme: 'Basic' });
  upstream.down = false;
  upstream.asked();
  upstream.expected = { ask: false, patience: 0 };
  expect(await challenges.of(upstream)).toMatchObject({ scheme: 'Basic' });
  expect(upstream.asked()).toEqual([]);
});

it('what a registry wanted before the start counts while it keeps silent, and is asked for again', async () => {
  const { facts } = fakeServices();
  const upstream = fakeUpstream();
  const wanted = 'Bearer realm="https://auth.registry.test/token"';
  upstream.on('GET', '/v2/', wants(wanted));
  await createChallenges(() => 0, facts).of(upstream);
  expect(facts.demands('registry')).toEqual([wanted]);

  const after = createChallenges(() => 0, facts);
  const gate = barrier();
  upstream.on('GET', '/v2/', async () => {
    await gate.passed;
    return wants('Basic realm="registry"');
  });
  upstream.expected = { ask: true, patience: 1 };
  expect(await after.of(upstream)).toMatchObject({ scheme: 'Bearer' });
  upstream.expected = { ask: true, patience: Number.POSITIVE_INFINITY };
  gate.release();
  expect(await after.of(upstream)).toMatchObject({ scheme: 'Basic' });
});

it('what manifix is asked for where it has an account says nothing about callers', async () => {
  const { facts } = fakeServices();
  const upstream = Object.assign(fakeUpstream(), { authority: 'own' as const });
  upstream.on('GET', '/v2/', { status: 200 });
  await createChallenges(() => 0, facts).of(upstream);
  expect(facts.demands('registry')).toBeUndefined();
});

import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { coolDown, pinOf } from '../support/content-rules.ts';
import { manifestTypes, type SampleImage, sampleImages } from '../support/images.ts';
import { createScene, type Scene, type SeenAnswer } from '../support/scene.ts';
import { digest } from '../support/views.ts';

const FIELDS = ['Content-Type', 'Content-Length', 'Docker-Content-Digest', 'ETag', 'Vary', 'Cache-Control'];
const path = '/v2/team/app/manifests/latest';
const everyType: HeaderList = [['Accept', manifestTypes.join(', ')]];

/** What registries get wrong about a manifest, on HEAD, GET or both. */
const registries: Record<string, (headers: HeaderList, method: string) => HeaderList> = {
  'is correct': (headers) => headers,
  'says nothing on HEAD': (headers, method) => (method === 'HEAD' ? [] : headers),
  'says nothing at all': () => [],
  'calls it text/plain and counts wrongly': (headers) =>
    headers.map(([name, value]) => {
      if (name === 'Content-Type') return [name, 'text/plain; charset=utf-8'];
      return name === 'Content-Length' ? [name, '0'] : [name, value];
    }),
  'writes digests without algorithm': (headers) => headers.map(([name, value]) => [name, value.replace('sha256:', '')]),
};

const cases = Object.keys(registries).flatMap((registry) =>
  sampleImages().flatMap((sample) =>
    ['latest', sample.digest].map((reference) => ({ registry, sample, name: sample.name, reference })),
  ),
);

function sceneWith(registry: string, sample: SampleImage, options: Parameters<typeof createScene>[0] = {}): Scene {
  const scene = createScene(options);
  scene.upstream.serve('team/app', 'latest', sample.bytes, sample.mediaType);
  const falsify = registries[registry];
  if (falsify === undefined) throw new Error(registry);
  for (const reference of ['latest', sample.digest]) {
    for (const method of ['GET', 'HEAD']) {
      const path = `/v2/team/app/manifests/${reference}`;
      const headers: HeaderList = [
        ['Content-Length', String(sample.bytes.length)],
        ['Content-Type', sample.mediaType],
        ['Docker-Content-Digest', sample.digest],
        ['Etag', `"${sample.digest}"`],
      ];
      scene.upstream.on(method, path, { status: 200, headers: falsify(headers, method), body: sample.bytes });
    }
  }
  return scene;
}

const seen = (answer: SeenAnswer) => ({
  status: answer.status,
  ...Object.fromEntries(FIELDS.map((name) => [name, answer.header(name)])),
});

describe('HEAD and GET of a manifest', () => {
  it.each(cases)('agree when the registry $registry: $name by $reference', async ({ registry, sample, reference }) => {
    const target = `/v2/team/app/manifests/${reference}`;
    const [cold, warm] = [sceneWith(registry, sample), sceneWith(registry, sample)];
    const get = await warm.ask('GET', target, everyType);
    const answers = [
      await cold.ask('HEAD', target, everyType),
      await cold.ask('GET', target, everyType),
      get,
      await warm.ask('HEAD', target, everyType),
    ];
    for (const answer of answers) expect(seen(answer)).toEqual(seen(get));
    expect(seen(get)).toMatchObject({
      status: 200,
      'Content-Type': sample.mediaType,
      'Content-Length': String(get.body.length),
      'Docker-Content-Digest': digestOf(get.body),
      ETag: `"${digestOf(get.body)}"`,
    });
  });
});

describe('HEAD and GET of a tag that is served with another digest than the registry says', () => {
  const later = Buffer.from('{"schemaVersion":2,"later":true}');
  const moved = cases.filter(({ reference }) => reference === 'latest');

  it.each(moved)('agree when the registry $registry: $name', async ({ registry, sample }) => {
    const pinned = { pins: [pinOf(digest(sample.digest))] };
    const cooling = { coolDown: [coolDown(86_400_000)] };
    for (const content of [pinned, cooling]) {
      const { ask, upstream } = sceneWith(registry, sample, { tagTtl: 0, content });
      if (content === cooling) await ask('GET', path, everyType);
      upstream.on('GET HEAD', path, { status: 200, headers: [['Content-Type', sample.mediaType]], body: later });
      const head = await ask('HEAD', path, everyType);
      const get = await ask('GET', path, everyType);
      expect(seen(head)).toEqual(seen(get));
      expect(seen(get)).toMatchObject({
        status: 200,
        'Content-Type': sample.mediaType,
        'Docker-Content-Digest': digestOf(get.body),
      });
      expect(get.header('Manifix-Original-Digest') ?? digestOf(get.body)).toBe(sample.digest);
      expect(head.header('Manifix-Policy')).toBe(content === pinned ? 'pin' : 'cool-down');
    }
  });
});

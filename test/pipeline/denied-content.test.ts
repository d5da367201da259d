import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { OCI_INDEX } from '../../src/domain/media-type.ts';
import { denial } from '../support/content-rules.ts';
import { errorAnswer, guarded, registryHeaders } from '../support/fake-upstream.ts';
import { manifestTypes, mediaTypes, type SampleName, sampleImage } from '../support/images.ts';
import { createScene, type Scene, type SeenAnswer } from '../support/scene.ts';
import { digest, repositoryName } from '../support/views.ts';

const image = (name: SampleName) => ({ ...sampleImage(name), digest: digest(sampleImage(name).digest) });
const app = image('oci-amd64');
const index = image('index');
const untyped = image('index-nomt');
const byName = (reference: string) => `/v2/team/app/manifests/${reference}`;
const everyType: HeaderList = [['Accept', manifestTypes.join(', ')]];
const on = { mode: 'on', options: { platform: 'linux/amd64' } } as const;

type Denied = Parameters<typeof denial>[0];

function denying(what: Denied, settings = {}): Scene {
  const scene = createScene({ settings, content: { deny: [denial(what)] } });
  for (const [tag, { bytes, mediaType }] of Object.entries({ latest: app, index, untyped })) {
    scene.upstream.serve('team/app', tag, bytes, mediaType);
  }
  for (const child of index.children) scene.upstream.serve('team/app', child.digest, child.bytes, child.mediaType);
  return scene;
}

function expectDenied(answer: SeenAnswer): void {
  expect(answer.status).toBe(403);
  expect(JSON.parse(answer.body.toString()).errors).toEqual([
    {
      code: 'DENIED',
      message: 'withdrawn; ask the platform team',
      detail: {
        manifix: 'The endpoint "default" denies this content, whatever the registry says (content.deny).',
      },
    },
  ]);
}

describe('denied content', () => {
  it('is refused by its tag, to GET and HEAD, and not by other tags or by digest', async () => {
    const { ask } = denying({ tags: ['lat*'] });
    expectDenied(await ask('GET', byName('latest'), everyType));
    expect(await ask('HEAD', byName('latest'), everyType)).toMatchObject({ status: 403, body: Buffer.alloc(0) });
    expect(await ask('GET', byName('index'), everyType)).toMatchObject({ status: 200 });
    expect(await ask('GET', byName(app.digest))).toMatchObject({ status: 200 });
  });

  it('is refused by its digest, and by a tag that means it, from the registry and from the cache', async () => {
    const { ask } = denying({ digests: [app.digest] });
    for (const reference of ['latest', app.digest, 'latest', app.digest]) {
      expectDenied(await ask('GET', byName(reference), everyType));
    }
  });

  it('is refused as a derived manifest, by the digest of the original and by its own', async () => {
    const plain = createScene();
    plain.upstream.serve('team/app', 'untyped', untyped.bytes, untyped.mediaType);
    const served = await plain.ask('GET', byName('untyped'), everyType);
    const derived = digest(served.header('Docker-Content-Digest') ?? '');
    const original = denying({ digests: [untyped.digest] });
    expectDenied(await original.ask('GET', byName('untyped'), everyType));
    const own = denying({ digests: [derived] });
    expectDenied(await own.ask('GET', byName('untyped'), everyType));
    expectDenied(await own.ask('GET', byName(derived)));
    expect(await own.ask('GET', byName(untyped.digest))).toMatchObject({ status: 200 });
  });

  it('is refused as a derived manifest that was derived before', async () => {
    const { ask, services, upstream } = denying({ digests: [untyped.digest] });
    const bytes = Buffer.from('{}');
    const kept = { digest: digestOf(bytes), original: untyped.digest, bytes };
    const made = { ...kept, mediaType: OCI_INDEX, kind: 'media-type-added' } as const;
    services.facts.putDerived('registry', repositoryName('team/app'), made);
    expectDenied(await ask('GET', byName(kept.digest)));
    upstream.on('HEAD', byName(untyped.digest), errorAnswer(404, 'NAME_UNKNOWN'));
    services.grants.clear();
    expect(await ask('GET', byName(kept.digest))).toMatchObject({ status: 404 });
  });

  it('is refused as the image that stands for an index, and by its digest, while the index is served', async () => {
    const child = digest(index.children[0]?.digest ?? '');
    const { ask } = denying({ digests: [child] }, { 'list-for-image-only-client': on });
    expectDenied(await ask('GET', byName('index'), [['Accept', mediaTypes.ociManifest]]));
    expect(await ask('GET', byName('index'), everyType)).toMatchObject({ status: 200, body: index.bytes });
    expectDenied(await ask('GET', byName(child)));
  });

  it('is refused when it streams through, because it is too large to be looked at', async () => {
    const large = Buffer.from(`{"schemaVersion":2,"x":"${'x'.repeat(9 * 1024 * 1024)}"}`);
    for (const what of [{ tags: ['large'] }, { digests: [digestOf(large)] }]) {
      const { ask, upstream } = denying(what);
      upstream.serve('team/app', 'large', large, mediaTypes.ociManifest);
      expectDenied(await ask('GET', byName('tags' in what ? 'large' : digestOf(large)), everyType));
    }
  });

  it('is refused as a blob, whatever part of it is asked for, without being fetched', async () => {
    const bytes = Buffer.from('a layer');
    const blob = digestOf(bytes);
    const path = `/v2/team/app/blobs/${blob}`;
    const { ask, upstream } = denying({ digests: [blob] });
    const headers = registryHeaders(blob, bytes, 'application/octet-stream');
    upstream.on('GET HEAD', path, { status: 200, headers, body: bytes });
    expectDenied(await ask('GET', path));
    expect(await ask('HEAD', path)).toMatchObject({ status: 403 });
    expectDenied(await ask('GET', path, [['Range', 'bytes=0-1']]));
    expect(upstream.asked()).toEqual([`HEAD ${path}`]);
  });

  it('is all of a repository where a rule names no tag and no digest', async () => {
    const { ask, upstream } = denying({});
    expectDenied(await ask('GET', byName('latest'), everyType));
    upstream.serve('other', 'latest', app.bytes, app.mediaType);
    expect(await ask('GET', '/v2/other/manifests/latest', everyType)).toMatchObject({ status: 200 });
  });

  it('looks to those who may not read it as it does without the rule', async () => {
    const bytes = Buffer.from('a layer');
    const targets = [byName('latest'), byName(app.digest), `/v2/team/app/blobs/${digestOf(bytes)}`];
    for (const target of targets) {
      const answers = await Promise.all(
        [denying({ digests: [app.digest, digestOf(bytes)], tags: ['latest'] }), createScene()].map(async (scene) => {
          const content = {
            status: 200,
            headers: registryHeaders(app.digest, app.bytes, app.mediaType),
            body: app.bytes,
          };
          scene.upstream.on('GET HEAD', target, guarded('Basic YTph', content));
          const methods = ['HEAD', 'GET'];
          const seen = await Promise.all(methods.map((method) => scene.ask(method, target, everyType)));
          return seen.map(({ status, headers, body }) => ({ status, headers, body: body.toString() }));
        }),
      );
      expect(answers[0]).toEqual(answers[1]);
      expect(answers[0]?.[1]?.status).toBe(401);
    }
  });

  it('is in the audit log by the tag or the digest that was asked for', async () => {
    const { answer } = denying({ digests: [app.digest] });
    for (const reference of ['latest', app.digest]) {
      await expect(answer('GET', byName(reference), everyType)).rejects.toMatchObject({
        denied: { action: 'pull', repository: 'team/app', reference },
      });
    }
  });

  it('that does not exist is absent before it is denied', async () => {
    const { ask } = denying({ tags: ['*'] });
    const answer = await ask('GET', byName('nothing'), everyType);
    expect(answer.status).toBe(404);
    expect(`${answer.body}`).not.toContain('withdrawn');
  });
});

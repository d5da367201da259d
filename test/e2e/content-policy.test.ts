import { afterEach, describe, expect, it } from 'vitest';
import type { ContentRules } from '../../src/domain/content-policy.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { coolDown, denial, pinOf } from '../support/content-rules.ts';
import { startCache } from '../support/faults/running-cache.ts';
import { exchange } from '../support/http.ts';
import { manifestTypes, type SampleName, sampleImage } from '../support/images.ts';
import { pushImage } from '../support/push-image.ts';
import { startRegistryDouble } from '../support/registry-double.ts';
import { respond } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { digest, repositoryName } from '../support/views.ts';

const image = (name: SampleName) => ({ ...sampleImage(name), digest: digest(sampleImage(name).digest) });
const old = image('oci-amd64');
const young = image('docker-amd64');
const everyType = { Accept: manifestTypes.join(', ') };
const manifest = (reference: string) => `/v2/team/app/manifests/${reference}`;
const DAY = 86_400_000;

let running = new AsyncDisposableStack();
afterEach(async () => {
  await running.disposeAsync();
  running = new AsyncDisposableStack();
});

/** manifix in front of a registry, by the clock of the test. */
async function startManifix(upstream: string, content: Partial<ContentRules>) {
  const directory = running.use(await temporaryDirectory());
  const clock = { ...systemClock, time: 1_700_000_000_000, now: () => clock.time };
  const cache = await startCache({ directory: directory.path, upstream, clock, tagTtl: 0, content });
  running.defer(() => cache.stop());
  const ask = (target: string, method = 'GET', headers: Record<string, string> = everyType, body?: Buffer) =>
    exchange(cache.url, { method, target, headers, ...(body && { body }) });
  return { ...cache, clock, ask };
}

async function startBoth(content: Partial<ContentRules>) {
  const registry = running.use(await startRegistryDouble());
  return { registry, ...(await startManifix(registry.url, content)) };
}

/** What clients go by, and what it is marked with. */
function seen({ status, header }: Awaited<ReturnType<typeof exchange>>) {
  return { status, digest: header('Docker-Content-Digest'), policy: header('Manifix-Policy') };
}

describe('a tag that cools down', () => {
  it('moves for clients when its new digest is old enough, and until then can be pulled by digest', async () => {
    const { ask, clock, registry, finished } = await startBoth({ coolDown: [coolDown(3 * DAY)] });
    registry.content.addImage('team/app', 'latest', old);
    await ask(manifest('latest'));
    clock.time += 3 * DAY;
    registry.content.addImage('team/app', 'latest', young);
    for (const method of ['HEAD', 'GET', 'GET']) {
      expect(seen(await ask(manifest('latest'), method))).toEqual({
        status: 200,
        digest: old.digest,
        policy: 'cool-down',
      });
    }
    expect(seen(await ask(manifest(young.digest)))).toEqual({ status: 200, digest: young.digest, policy: undefined });
    clock.time += 3 * DAY;
    expect(seen(await ask(manifest('latest')))).toEqual({ status: 200, digest: young.digest, policy: undefined });
    expect(finished.map(({ policy }) => policy)).toEqual([
      undefined,
      'cool-down',
      'cool-down',
      'cool-down',
      undefined,
      undefined,
    ]);
  });

  it('is told what happened in header fields that are whole, and Cache-Status stays true', async () => {
    const upstream = running.use(await startScriptedUpstream());
    const { ask, clock } = await startManifix(upstream.url, { coolDown: [coolDown(DAY)] });
    const answer = ({ bytes, mediaType, digest: of }: typeof old) =>
      respond(
        200,
        [
          ['Content-Type', mediaType],
          ['Docker-Content-Digest', of],
        ],
        bytes,
      );
    upstream.once('GET', /latest$/, [answer(old)]);
    await ask(manifest('latest'));
    clock.time += DAY;
    upstream.on('HEAD', /latest$/, [answer(young)]);
    upstream.on('GET', /latest$/, [answer(young)]);
    const held = await ask(manifest('latest'));
    expect(held.body).toEqual(old.bytes);
    expect(held.header('Content-Length')).toBe(String(old.bytes.length));
    expect(held.header('ETag')).toBe(`"${old.digest}"`);
    expect(held.header('Cache-Status')).toBe('manifix; hit');
    expect(held.header('Manifix-Held-Digest')).toBe(young.digest);
    expect(held.header('Warning')).toMatch(/^299 - "manifix: the tag moved to sha256:[^"]+ it is served as before"$/);
  });
});

describe('a pinned tag', () => {
  it('takes a push, of which the registry has it, and is pulled as it is pinned', async () => {
    const { ask, registry, url, store } = await startBoth({ pins: [pinOf(old.digest)] });
    registry.content.addImage('team/app', 'old', old);
    await pushImage(url, 'team/app', 'young', young);
    const put = { 'Content-Type': young.mediaType };
    const pushed = await ask(manifest('latest'), 'PUT', put, young.bytes);
    expect(pushed.status).toBe(201);
    expect(pushed.header('Warning')).toBe(
      `299 - "manifix: the tag is pinned to ${old.digest}, and pulls get that until the pin is taken away"`,
    );
    expect(seen(await exchange(registry.url, { target: manifest('latest'), headers: everyType }))).toMatchObject({
      digest: young.digest,
    });
    expect(seen(await ask(manifest('latest')))).toEqual({ status: 200, digest: old.digest, policy: 'pin' });
    expect(store.tagHistory.of('hub', repositoryName('team/app'), 'latest' as never)).toMatchObject([
      { digest: young.digest, by: 'push', view: 'all' },
    ]);
    const same = await ask(manifest('latest'), 'PUT', { 'Content-Type': old.mediaType }, old.bytes);
    expect(same.header('Warning')).toBeUndefined();
  });
});

describe('denied content', () => {
  const layer = young.blobs[1];
  const layerDigest = digest(layer?.digest ?? '');
  const put = { 'Content-Type': young.mediaType };

  async function expectDenied(asked: ReturnType<typeof exchange>): Promise<void> {
    const answer = await asked;
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body.toString()).errors[0]).toMatchObject({
      code: 'DENIED',
      message: 'withdrawn; ask the platform team',
    });
  }

  it('cannot be pushed by its tag, by its digest, or as a part of something', async () => {
    const byTag = await startBoth({ deny: [denial({ tags: ['0.*'] })] });
    await pushImage(byTag.url, 'team/app', '1.0', young);
    await expectDenied(byTag.ask(manifest('0.9'), 'PUT', put, young.bytes));
    const byDigest = await startBoth({ deny: [denial({ digests: [young.digest] })] });
    byDigest.registry.content.addImage('team/app', 'old', old);
    await expectDenied(byDigest.ask(manifest('1.0'), 'PUT', put, young.bytes));
    await expectDenied(byDigest.ask(manifest(young.digest), 'PUT', put, young.bytes));
    const byLayer = await startBoth({ deny: [denial({ digests: [layerDigest] })] });
    await expectDenied(byLayer.ask(manifest('1.0'), 'PUT', put, young.bytes));
    expect(byLayer.registry.requests.map(({ method }) => method)).not.toContain('PUT');
  });

  it('cannot be pushed as a blob, in one request, in steps or by a mount', async () => {
    const { ask, registry } = await startBoth({ deny: [denial({ digests: [layerDigest] })] });
    const uploads = '/v2/team/app/blobs/uploads/';
    const whole = { 'Content-Type': 'application/octet-stream' };
    await expectDenied(ask(`${uploads}?digest=${layerDigest}`, 'POST', whole, layer?.bytes));
    await expectDenied(ask(`${uploads}?mount=${layerDigest}&from=other/app`, 'POST'));
    await expectDenied(ask(`${uploads}?moun%74=${encodeURIComponent(layerDigest)}&from=other/app`, 'POST'));
    const session = await ask(uploads, 'POST');
    expect(session.status).toBe(202);
    const { pathname, search } = new URL(session.header('Location') ?? '', 'http://manifix.test');
    const last = `${pathname}${search === '' ? '?' : `${search}&`}digest=${encodeURIComponent(layerDigest)}`;
    await expectDenied(ask(last, 'PUT', whole, layer?.bytes));
    expect(registry.content.blob('team/app', layerDigest)).toBeUndefined();
  });

  it('is not mounted from a repository that is denied: the blob has to be uploaded', async () => {
    const { ask, registry } = await startBoth({ deny: [denial()] });
    registry.content.addImage('team/app', 'latest', young);
    const mount = `/v2/other/app/blobs/uploads/?mount=${layerDigest}&from=team/app`;
    expect((await ask(mount, 'POST')).status).toBe(202);
    const plain = await startBoth({});
    plain.registry.content.addImage('team/app', 'latest', young);
    expect((await plain.ask(mount, 'POST')).status).toBe(201);
  });

  it('may be deleted, and its denials are counted', async () => {
    const { ask, registry, finished } = await startBoth({ deny: [denial()] });
    registry.content.addImage('team/app', 'latest', young);
    await expectDenied(ask(manifest('latest')));
    expect((await ask(manifest(young.digest), 'DELETE')).status).toBe(202);
    expect(finished.map(({ status, policy }) => ({ status, policy }))).toEqual([
      { status: 403, policy: 'deny' },
      { status: 202, policy: undefined },
    ]);
  });

  it('shows a push to nobody whom the registry asks for credentials', async () => {
    const upstream = running.use(await startScriptedUpstream());
    const challenge = [['WWW-Authenticate', 'Basic realm="registry"']] as const;
    upstream.on('GET', /tags\/list/, [respond(401, challenge, '')]);
    const { ask } = await startManifix(upstream.url, { deny: [denial()] });
    for (const answer of [
      await ask(manifest('latest'), 'PUT', put, young.bytes),
      await ask('/v2/team/app/blobs/uploads/', 'POST'),
    ]) {
      expect(answer.status).toBe(401);
      expect(answer.header('WWW-Authenticate')).toBe('Basic realm="registry"');
      expect(`${answer.body}`).not.toContain('withdrawn');
    }
    expect(upstream.requests.map(({ method }) => method)).toEqual(['GET', 'GET']);
    const down = running.use(await startScriptedUpstream());
    down.on('GET', /tags\/list/, [respond(503, [], '')]);
    const other = await startManifix(down.url, { deny: [denial()] });
    expect((await other.ask(manifest('latest'), 'PUT', put, young.bytes)).status).toBe(503);
  });
});

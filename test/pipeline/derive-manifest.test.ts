import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { type HeaderList, headerValue } from '../../src/domain/headers.ts';
import type { AppliedFix } from '../../src/fixes/run.ts';
import { errorAnswer, guarded } from '../support/fake-upstream.ts';
import { mediaTypes } from '../support/images.ts';
import type { Scene } from '../support/scene.ts';
import { byTag, d0, d1, derivedBytes, everyType, indexScene, original, repository } from './some-index.ts';

const byOriginal = `/v2/team/app/manifests/${d0}`;
const byDerived = `/v2/team/app/manifests/${d1}`;

const idsOf = (fixes: readonly AppliedFix[]) => fixes.filter(({ mode }) => mode === 'on').map(({ id }) => id);

let scene: Scene;

beforeEach(() => {
  scene = indexScene();
});

describe('an index without mediaType', () => {
  it('is served with it by tag, under its own digest, and says what it was', async () => {
    const answer = await scene.ask('GET', byTag, everyType);
    expect(answer.body).toEqual(derivedBytes);
    expect(answer.headers).toEqual([
      ['Content-Type', mediaTypes.ociIndex],
      ['Content-Length', String(derivedBytes.length)],
      ['Docker-Content-Digest', d1],
      ['Docker-Distribution-Api-Version', 'registry/2.0'],
      ['ETag', `"${d1}"`],
      ['Manifix-Original-Digest', d0],
      ['Warning', `299 - "manifix added mediaType; original digest ${d0}"`],
      ['Cache-Control', 'no-cache'],
      ['Vary', 'Accept'],
    ]);
    expect(idsOf(answer.fixes)).toEqual(['index-without-mediatype']);
  });

  it('is stored in its derived form before any answer names that', async () => {
    const answer = await scene.answer('HEAD', byTag, everyType);
    expect(headerValue(answer.headers, 'Docker-Content-Digest')).toBe(d1);
    const stored = scene.services.facts.derived('registry', repository, d1);
    expect(stored).toMatchObject({ original: d0, mediaType: mediaTypes.ociIndex });
    expect(derivedBytes.equals(stored?.bytes ?? Buffer.alloc(0))).toBe(true);
  });

  it('stays as it is, also for HEAD, when the derived form cannot be stored', async () => {
    scene.services.facts.readOnly = true;
    for (const method of ['HEAD', 'GET']) {
      const answer = await scene.ask(method, byTag, everyType);
      expect(answer.header('Docker-Content-Digest')).toBe(d0);
      expect(idsOf(answer.fixes)).not.toContain('index-without-mediatype');
    }
    expect(scene.services.telemetry.warnings).toEqual(Array(2).fill('a derived manifest could not be stored'));
  });

  it('stays byte-exact under its own digest', async () => {
    await scene.ask('GET', byTag, everyType);
    const answer = await scene.ask('GET', byOriginal, everyType);
    expect(answer.body).toEqual(original.bytes);
    expect(answer.header('Docker-Content-Digest')).toBe(d0);
    expect(answer.header('Manifix-Original-Digest')).toBeUndefined();
  });

  it('has the derived form as 304 when the client has that, and whole when it has the original', async () => {
    const has = (tag: string): HeaderList => [...everyType, ['If-None-Match', `"${tag}"`]];
    expect(await scene.ask('GET', byTag, has(d1))).toMatchObject({ status: 304 });
    expect(await scene.ask('GET', byTag, has(d0))).toMatchObject({ status: 200, body: derivedBytes });
  });

  it('stays as it is when the fix is off, and when it only observes', async () => {
    for (const mode of ['off', 'observe'] as const) {
      const { ask, services } = indexScene({
        settings: { 'index-without-mediatype': { mode, options: { force: 'no' } } },
      });
      expect((await ask('GET', byTag, everyType)).body).toEqual(original.bytes);
      expect(services.facts.derivedManifests).toEqual([]);
    }
  });

  it('stays as it is with repeated or case-variant keys (inexact-keys)', async () => {
    for (const [tag, text] of [
      ['variant', '{"schemaVersion":2,"MediaType":"x","manifests":[]}'],
      ['repeated', '{"schemaVersion":2,"manifests":[],"manifests":[]}'],
    ] as const) {
      const bytes = Buffer.from(text);
      scene.upstream.serve('team/app', tag, bytes, mediaTypes.ociIndex);
      const answer = await scene.ask('GET', `/v2/team/app/manifests/${tag}`, everyType);
      expect(answer.body).toEqual(bytes);
      expect(answer.header('Docker-Content-Digest')).toBe(digestOf(bytes));
    }
  });
});

describe('a derived digest', () => {
  beforeEach(async () => {
    await scene.ask('GET', byTag, everyType);
    scene.upstream.asked();
  });

  it('is served like by tag, except that it may be kept for ever', async () => {
    const tag = await scene.ask('GET', byTag, everyType);
    for (const method of ['GET', 'HEAD']) {
      const answer = await scene.ask(method, byDerived, everyType);
      expect(answer).toMatchObject({
        status: 200,
        cache: 'hit',
        body: method === 'GET' ? derivedBytes : Buffer.alloc(0),
      });
      expect(answer.header('Cache-Control')).toBe('max-age=31536000, immutable');
      for (const name of ['Content-Type', 'Content-Length', 'Docker-Content-Digest', 'ETag', 'Warning']) {
        expect(answer.header(name)).toBe(tag.header(name));
      }
    }
    expect(scene.upstream.asked()).toEqual([]);
  });

  it('can be read in parts', async () => {
    const answer = await scene.ask('GET', byDerived, [...everyType, ['Range', 'bytes=1-10']]);
    expect(answer).toMatchObject({ status: 206, body: derivedBytes.subarray(1, 11) });
  });

  it('needs the right to read its original', async () => {
    scene.upstream.on(
      'HEAD',
      byOriginal,
      guarded('Basic YTph', { status: 200, headers: [['Docker-Content-Digest', d0]] }),
    );
    scene.upstream.on(
      'GET',
      byDerived,
      errorAnswer(401, 'UNAUTHORIZED', 'no', [['WWW-Authenticate', 'Basic realm="r"']]),
    );
    const as = (password: string): HeaderList => [...everyType, ['Authorization', password]];
    expect(await scene.ask('GET', byDerived, as('Basic Yjpi'))).toMatchObject({ status: 401 });
    expect(await scene.ask('GET', byDerived, as('Basic YTph'))).toMatchObject({ status: 200, body: derivedBytes });
    // Whom the original is refused, the registry answers about the derived digest.
    expect(scene.upstream.asked()).toEqual([`HEAD ${byOriginal}`, `GET ${byDerived}`, `HEAD ${byOriginal}`]);
  });

  it('is not served from another repository', async () => {
    expect(await scene.ask('GET', `/v2/team/other/manifests/${d1}`, everyType)).toMatchObject({ status: 404 });
  });

  it('stays when its original is only hidden from who asks', async () => {
    scene.upstream.on('GET HEAD', byOriginal, errorAnswer(404, 'NAME_UNKNOWN'));
    const stranger: HeaderList = [...everyType, ['Authorization', 'Basic Yjpi']];
    expect(await scene.ask('GET', byDerived, stranger)).toMatchObject({ status: 404 });
    expect(scene.services.facts.derivedManifests).toHaveLength(1);
  });

  it('goes when its original is gone', async () => {
    scene.upstream.on('GET HEAD', byOriginal, errorAnswer(404, 'MANIFEST_UNKNOWN'));
    scene.upstream.on('GET', '/v2/team/app/tags/list', { status: 200, headers: [], body: Buffer.from('{}') });
    const bob: HeaderList = [...everyType, ['Authorization', 'Basic Yjpi']];
    expect(await scene.ask('GET', byDerived, bob)).toMatchObject({ status: 404 });
    expect(scene.services.facts.derivedManifests).toEqual([]);
  });

  it('stays through an outage: served when the original is open, else an error and kept', async () => {
    scene.upstream.down = true;
    const bob: HeaderList = [...everyType, ['Authorization', 'Basic Yjpi']];
    expect(await scene.ask('GET', byDerived, bob)).toMatchObject({ status: 200, body: derivedBytes });
    scene.services.facts.dropLink('registry', repository, 'manifest', d0);
    scene.services.facts.putLink('registry', repository, 'manifest', d0, 'private');
    expect(await scene.ask('GET', byDerived, bob)).toMatchObject({ status: 502 });
    expect(scene.services.facts.derivedManifests).toHaveLength(1);
  });

  it('is not among the blobs', async () => {
    expect(await scene.ask('GET', `/v2/team/app/blobs/${d1}`)).toMatchObject({ status: 404 });
  });
});

import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { OCI_INDEX } from '../../src/domain/media-type.ts';
import { fallbackTagIndexWithoutMediatype } from '../../src/fixes/fallback-tag-index-without-mediatype.ts';
import { createScene } from '../support/scene.ts';
import { manifestView } from '../support/views.ts';

const body = '{"schemaVersion":2,"manifests":[]}';
const tag = `sha256-${'ab'.repeat(32)}`;
const apply = (reference: string, text = body) =>
  fallbackTagIndexWithoutMediatype.manifest?.(manifestView({ reference, body: text }), {});

describe('fallback-tag-index-without-mediatype', () => {
  it('adds the type to an index under a fallback tag, and needs no look for signatures', () => {
    const derive = apply(tag)?.derive;
    expect(Buffer.from(derive?.bytes ?? '').toString()).toBe(
      `{"mediaType":"${OCI_INDEX}","schemaVersion":2,"manifests":[]}`,
    );
    expect(derive).toMatchObject({ mediaType: OCI_INDEX, force: true });
    expect(apply(`sha512-${'0'.repeat(64)}`)?.derive).toBeDefined();
  });

  it.each([
    'latest',
    `sha256-${'ab'.repeat(31)}`,
    `sha256-${'AB'.repeat(32)}`,
    `${tag}.sig`,
    digestOf(Buffer.from(body)),
  ])('leaves %s alone', (reference) => {
    expect(apply(reference)).toBeUndefined();
  });

  it('leaves a whole index and an image alone', () => {
    expect(apply(tag, body.replace('{', `{"mediaType":"${OCI_INDEX}",`))).toBeUndefined();
    expect(apply(tag, '{"schemaVersion":2,"config":{},"layers":[]}')).toBeUndefined();
  });

  it('works where other indexes are left as they are, and HEAD agrees with GET', async () => {
    const { ask, upstream } = createScene({ settings: { 'index-without-mediatype': { mode: 'off', options: {} } } });
    for (const name of [tag, 'latest']) upstream.serve('team/app', name, Buffer.from(body), OCI_INDEX);
    const head = await ask('HEAD', `/v2/team/app/manifests/${tag}`);
    const get = await ask('GET', `/v2/team/app/manifests/${tag}`);
    expect(JSON.parse(get.body.toString()).mediaType).toBe(OCI_INDEX);
    expect(get.header('Docker-Content-Digest')).toBe(digestOf(get.body));
    expect(head.headers).toEqual(get.headers);
    expect(upstream.asked().filter((asked) => asked.includes('referrers'))).toEqual([]);
    expect((await ask('GET', '/v2/team/app/manifests/latest')).body.toString()).toBe(body);
  });
});

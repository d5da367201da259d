import { describe, expect, it } from 'vitest';
import { OCI_INDEX } from '../../src/domain/media-type.ts';
import { pushIndexWithoutMediatype } from '../../src/fixes/push-index-without-mediatype.ts';
import { compileFixes, defaultSetting } from '../../src/fixes/run.ts';
import { sampleImage, sampleImages } from '../support/images.ts';
import { blobRoute, manifestPutView, manifestRoute, requestView } from '../support/views.ts';

const index = sampleImage('index-nomt');
const change = (view: Parameters<NonNullable<typeof pushIndexWithoutMediatype.request>>[0]) =>
  pushIndexWithoutMediatype.request?.(view, {});

describe('push-index-without-mediatype', () => {
  it('adds the member to an index that is pushed by tag, and touches no other byte', () => {
    const push = change(manifestPutView(index.bytes))?.push;
    expect(Buffer.from(push?.bytes ?? []).toString()).toBe(
      index.bytes.toString().replace('{', `{"mediaType":"${OCI_INDEX}",`),
    );
    expect(push?.mediaType).toBe(OCI_INDEX);
    expect(change(manifestPutView(push?.bytes ?? ''))).toBeUndefined();
  });

  it('never changes what is pushed by digest', () => {
    expect(change(manifestPutView(index.bytes, { route: manifestRoute(index.digest) }))).toBeUndefined();
  });

  it('leaves all other manifests and requests alone', () => {
    for (const { name, bytes } of sampleImages()) {
      if (name !== 'index-nomt') expect(change(manifestPutView(bytes)), name).toBeUndefined();
    }
    expect(change(manifestPutView('{"schemaVersion":2,"manifests":[],"manifests":[]}'))).toBeUndefined();
    expect(change(requestView({ method: 'GET' }))).toBeUndefined();
    expect(change(requestView({ method: 'PUT' }))).toBeUndefined();
    expect(change(requestView({ method: 'PUT', route: blobRoute() }))).toBeUndefined();
  });

  it('is off unless wanted, and hands its bytes to the pipeline with what to report', () => {
    expect(defaultSetting(pushIndexWithoutMediatype).mode).toBe('off');
    const settings = { 'push-index-without-mediatype': { mode: 'on', options: {} } } as const;
    const outcome = compileFixes([pushIndexWithoutMediatype], settings).request(manifestPutView(index.bytes));
    expect(outcome.push).toMatchObject({ mediaType: OCI_INDEX, fix: { id: 'push-index-without-mediatype' } });
    expect(outcome.applied).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../src/domain/media-type.ts';
import { putContentTypeWrong } from '../../src/fixes/put-content-type-wrong.ts';
import { sampleImage, sampleImages } from '../support/images.ts';
import { manifestPutView, requestView, uploadRoute } from '../support/views.ts';

function apply(body: string | Uint8Array, type?: string) {
  const headers: HeaderList =
    type === undefined
      ? [['X', 'y']]
      : [
          ['X', 'y'],
          ['Content-Type', type],
        ];
  return putContentTypeWrong.request?.(manifestPutView(body, { headers }), {});
}

const docker = sampleImage('docker-amd64');

describe('put-content-type-wrong', () => {
  it.each([
    undefined,
    'application/x-www-form-urlencoded',
    'application/json',
    'text/plain',
    'application/octet-stream',
    `${DOCKER_MANIFEST}; charset`,
    `${DOCKER_MANIFEST};charset=UTF-8`,
    OCI_MANIFEST,
  ])('declares a manifest as what its bytes are, not as %s', (type) => {
    expect(apply(docker.bytes, type)).toEqual({
      note: `Content-Type set to ${DOCKER_MANIFEST}`,
      headers: [
        ['X', 'y'],
        ['Content-Type', DOCKER_MANIFEST],
      ],
    });
  });

  it('goes by the structure where the body has no mediaType', () => {
    expect(apply(sampleImage('index-nomt').bytes, OCI_MANIFEST)?.headers).toContainEqual(['Content-Type', OCI_INDEX]);
    expect(apply(sampleImage('ocinomt-amd64').bytes)?.headers).toContainEqual(['Content-Type', OCI_MANIFEST]);
  });

  it('leaves every sample with its own type alone', () => {
    for (const { bytes, mediaType } of sampleImages()) expect(apply(bytes, mediaType)).toBeUndefined();
  });

  it.each([
    ['no JSON', '<html>'],
    ['no manifest', '{}'],
    ['two readings', '{"manifests":[],"config":{},"layers":[]}'],
    ['a mediaType that contradicts the members', `{"schemaVersion":2,"mediaType":"${OCI_MANIFEST}","manifests":[]}`],
    ['a repeated key', '{"schemaVersion":2,"manifests":[],"manifests":[]}'],
  ])('does not guess about a body with %s', (_, body) => {
    expect(apply(body, 'application/json')).toBeUndefined();
    expect(apply(body, OCI_INDEX)).toBeUndefined();
  });

  it('leaves other requests and bodies that were not read alone', () => {
    const headers = [['Content-Type', 'application/json']] as const;
    const hook = putContentTypeWrong.request;
    expect(hook?.(requestView({ method: 'PUT', headers, hasBody: true }), {})).toBeUndefined();
    expect(hook?.(requestView({ method: 'GET', headers }), {})).toBeUndefined();
    expect(hook?.(requestView({ method: 'PUT', route: uploadRoute(), headers, hasBody: true }), {})).toBeUndefined();
  });
});

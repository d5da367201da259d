import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstError } from '../e2e/registry-errors.ts';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { exchange } from '../support/http.ts';
import { sampleImage, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';

const image = sampleImage('oci-amd64');
/** A manifest that ends in a newline, as many tools write it. */
const manifest = Buffer.concat([image.bytes, Buffer.from('\n')]);
const digest = sha256(manifest);
const crlf = Buffer.from(manifest.toString().replaceAll('\n', '\r\n'));
const lost = image.bytes;

describe('newline-and-encoding-damage', () => {
  let injector: DefectInjector;
  let manifix: Manifix;

  beforeAll(async () => {
    injector = await startDefectInjector();
    manifix = await startManifix({
      config: {
        upstreams: { registry: { url: injector.url } },
        fixes: { 'newline-and-encoding-damage': 'on' },
      },
    });
  });
  afterAll(() => Promise.all([manifix.stop(), injector.stop()]));

  function put(server: { url: string }, repository: string, reference: string, body: Buffer) {
    for (const blob of image.blobs) injector.content.putBlob(repository, blob.bytes);
    return exchange(server.url, {
      method: 'PUT',
      target: `/v2/${repository}/manifests/${reference}`,
      headers: { 'Content-Type': image.mediaType },
      body,
    });
  }
  const stored = (repository: string, reference: string) =>
    injector.content.manifest(repository, reference)?.manifest.bytes;

  it.each([
    ['without its last newline', lost],
    ['with a newline more', Buffer.concat([manifest, Buffer.from('\n')])],
    ['with other line ends', crlf],
  ])('stores what the digest of the URL says: %s', async (_, body) => {
    const direct = await put(injector, 'p-nl/direct', digest, body);
    expect([direct.status, firstError(direct.body).code]).toEqual([400, 'DIGEST_INVALID']);
    const answer = await put(manifix, 'p-nl/by-digest', digest, body);
    expect([answer.status, answer.header('Docker-Content-Digest')]).toEqual([201, digest]);
    expect(answer.header('Manifix-Fixes')).toContain('newline-and-encoding-damage');
    expect(stored('p-nl/by-digest', digest)).toEqual(manifest);
  });

  it('stores by tag what passed through here before', async () => {
    injector.content.putManifest('p-nl/source', '1', { bytes: manifest, mediaType: image.mediaType });
    const unknown = await put(manifix, 'p-nl/unknown', '1', lost);
    expect(unknown.header('Docker-Content-Digest')).toBe(sha256(lost));
    await exchange(manifix.url, { target: '/v2/p-nl/source/manifests/1' });
    const answer = await put(manifix, 'p-nl/by-tag', '1', lost);
    expect([answer.status, answer.header('Docker-Content-Digest')]).toEqual([201, digest]);
    expect(stored('p-nl/by-tag', '1')).toEqual(manifest);
  });

  it('leaves alone what is right, and what newlines do not explain', async () => {
    const right = await put(manifix, 'p-nl/right', digest, manifest);
    expect(right.header('Manifix-Fixes') ?? '').not.toContain('newline');
    expect(stored('p-nl/right', digest)).toEqual(manifest);
    const other = await put(manifix, 'p-nl/other', digest, sampleImage('docker-amd64').bytes);
    expect([other.status, firstError(other.body).code]).toEqual([400, 'DIGEST_INVALID']);
  });

  it('is off unless chosen: the refusal is explained', async () => {
    await using plain = await startManifix({ upstream: injector.url });
    const answer = await put(plain, 'p-nl/off', digest, lost);
    expect([answer.status, firstError(answer.body).explanation]).toEqual([
      400,
      expect.stringContaining('With one newline more at its end it would match'),
    ]);
  });
});

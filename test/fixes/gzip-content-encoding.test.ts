import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseDigest } from '../../src/domain/digest.ts';
import { startDefectInjector } from '../support/defect-injector.ts';
import { exchange } from '../support/http.ts';
import { sampleImage, sha256 } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';
import { respond } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';

const accept: Record<string, string> = { Accept: 'application/vnd.oci.image.index.v1+json' };

describe('gzip-content-encoding', () => {
  it('gives the true bytes of a manifest and of a blob that the registry compressed', async () => {
    await using registry = await startDefectInjector();
    await using manifix = await startManifix({ upstream: registry.url });
    const index = sampleImage('index');
    const target = '/v2/gzip/manifests/index';
    const direct = await exchange(registry.url, { target, headers: accept });
    expect(direct.header('Content-Encoding')).toBe('gzip');
    expect(sha256(direct.body)).not.toBe(index.digest);

    const repaired = await exchange(manifix.url, { target, headers: accept });
    expect(repaired.status).toBe(200);
    expect(repaired.header('Content-Encoding')).toBeUndefined();
    expect(repaired.header('Content-Length')).toBe(String(index.bytes.length));
    expect(repaired.body.equals(index.bytes)).toBe(true);
    expect(repaired.header('Manifix-Fixes')).toContain('gzip-content-encoding');
  });

  it('keeps layers whose compression is only a label', async () => {
    await using registry = await startDefectInjector();
    await using manifix = await startManifix({ upstream: registry.url });
    const layer = sampleImage('oci-amd64').blobs.find((blob) => blob.mediaType.includes('tar'));
    const digest = parseDigest(layer?.digest ?? '');
    const answer = await exchange(manifix.url, { target: `/v2/x-gzip/blobs/${digest}` });
    expect(answer.status).toBe(200);
    expect(sha256(answer.body)).toBe(digest);
    expect(answer.header('Content-Encoding')).toBeUndefined();
  });

  it('refuses a manifest that would be larger than any, without unpacking it', async () => {
    await using registry = await startScriptedUpstream();
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
    registry.on('GET', /manifests/, [respond(200, [['Content-Encoding', 'gzip']], bomb)]);
    await using manifix = await startManifix({ upstream: registry.url });
    for (const reference of ['1', sampleImage('index').digest]) {
      const answer = await exchange(manifix.url, { target: `/v2/a/manifests/${reference}`, headers: accept });
      expect([answer.status, answer.body.toString()]).toEqual([502, expect.stringContaining('too-large')]);
    }
  });

  it('leaves answers alone that are not compressed', async () => {
    await using registry = await startDefectInjector();
    await using manifix = await startManifix({ upstream: registry.url });
    const answer = await exchange(manifix.url, { target: '/v2/healthy/manifests/index', headers: accept });
    expect(answer.status).toBe(200);
    expect(answer.header('Manifix-Fixes') ?? '').not.toContain('gzip-content-encoding');
  });

  it('passes the compressed answer on untouched when it is off', async () => {
    await using registry = await startDefectInjector();
    await using manifix = await startManifix({
      upstream: registry.url,
      env: { MANIFIX_FIXES_GZIP_CONTENT_ENCODING: 'off' },
    });
    const answer = await exchange(manifix.url, { target: '/v2/gzip/manifests/index', headers: accept });
    expect(answer.header('Content-Encoding')).toBe('gzip');
  });
});

import { describe, expect, it } from 'vitest';
import { createBlobGenerator, wholeBlob } from '../../bench/data/blob.ts';
import { SMALL_BLOB, writeCachedBlobs } from '../../bench/data/cached-blobs.ts';
import { REPOSITORY } from '../../bench/data/sizes.ts';
import { exchange } from '../support/http.ts';
import { startManifix } from '../support/manifix.ts';
import { startRegistryDouble } from '../support/registry-double.ts';
import { temporaryDirectory } from '../support/temporary.ts';

describe('a cache that the benchmark wrote', () => {
  it('is served by manifix as its own', async () => {
    await using directory = await temporaryDirectory();
    await using upstream = await startRegistryDouble();
    const blob = createBlobGenerator()(3, SMALL_BLOB);
    upstream.content.putBlob(REPOSITORY, wholeBlob(blob));
    writeCachedBlobs(directory.path, 'default', 5);
    await using manifix = await startManifix({ upstream: upstream.url, cacheDir: directory.path });
    const answer = await exchange(manifix.url, { target: `/v2/${REPOSITORY}/blobs/${blob.digest()}` });
    expect(answer.body).toEqual(wholeBlob(blob));
    expect(answer.header('Cache-Status')).toBe('manifix; hit');
    expect(upstream.requests.filter(({ method }) => method === 'GET')).toEqual([]);
  });
});

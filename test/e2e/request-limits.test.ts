import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barrier } from '../support/deadline.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';
import { settled } from '../support/settled.ts';
import { fromCache } from './answers.ts';
import { freshBytes } from './streaming-client.ts';

const LIMIT = 2;

describe('a registry that gets two reads at one time', () => {
  const gate = barrier();
  let isHeld = false;
  let running = 0;
  let most = 0;
  let registry: RegistryDouble;
  let manifix: Manifix;

  beforeAll(async () => {
    registry = await startRegistryDouble({
      intercept: async (_, respondNormally) => {
        running += 1;
        most = Math.max(most, running);
        if (isHeld) await gate.passed;
        const answer = await respondNormally();
        running -= 1;
        return answer;
      },
    });
    manifix = await startManifix({
      config: {
        upstreams: { hub: { url: registry.url, limits: { concurrency: LIMIT, rate: 1_000 } } },
        endpoints: [{ name: 'default', upstream: 'hub' }],
      },
    });
  });
  afterAll(async () => {
    gate.release();
    await manifix?.stop();
    await registry?.stop();
  });

  it('never gets a third, hits pass a full queue, and everybody is served in the end', async () => {
    const image = sampleImage('oci-amd64');
    registry.content.addImage('app', 'latest', image);
    const known = `/v2/app/manifests/${image.digest}`;
    await fromCache(() => exchange(manifix.url, { target: known }));
    const contents = Array.from({ length: 6 }, () => freshBytes(1_000));
    const digests = contents.map((bytes) => registry.content.putBlob('app', bytes));
    const before = registry.requests.length;
    isHeld = true;
    const pulls = digests.map((digest) => exchange(manifix.url, { target: `/v2/app/blobs/${digest}` }));
    await registry.requestArrived(() => registry.requests.length >= before + LIMIT);
    expect(await exchange(manifix.url, { target: known })).toMatchObject({ status: 200, body: image.bytes });
    await settled(() => registry.requests.length);
    expect(registry.requests.length - before).toBeLessThanOrEqual(LIMIT);
    gate.release();
    const answers = await Promise.all(pulls);
    expect(answers.map(({ status, body }) => ({ status, body }))).toEqual(
      contents.map((body) => ({ status: 200, body })),
    );
    expect(most).toBe(LIMIT);
  });
});

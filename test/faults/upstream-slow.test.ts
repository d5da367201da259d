import { describe, expect, it } from 'vitest';
import { barrier, within } from '../support/deadline.ts';
import { inOrder, serveBlob } from '../support/faults/blob-steps.ts';
import { withRig } from '../support/faults/rig.ts';
import { isFullRun, scale } from '../support/faults/scale.ts';
import { headerValue } from '../support/headers.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';
import { drip, fin, hang, head, respond, send, waitFor } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';

const SIZE = 300_000;
const HALF = SIZE / 2;

describe('F10: an upstream that drips', () => {
  it('holds up nobody else, and its blobs get complete when it goes on', async () => {
    await withRig({}, async (rig) => {
      const blobs = Array.from({ length: scale(20, 64) }, (_, index) => rig.blob(SIZE, `drip ${index}`));
      const flowing = barrier();
      for (const { pattern, bytes } of blobs) {
        const start = inOrder(send(bytes.subarray(0, HALF)), drip(bytes.subarray(HALF, HALF + 10), 1, 1));
        const rest = inOrder(waitFor(flowing), send(bytes.subarray(HALF + 10)));
        rig.upstream.on('GET', pattern, [head(200, [`Content-Length: ${SIZE}`]), start, rest]);
      }
      const downloads = await Promise.all(blobs.map((blob) => rig.open(blob)));
      for (let hit = 0; hit < 20; hit += 1) await rig.expectAlive();
      flowing.release();
      expect(await Promise.all(downloads.map(({ ended }) => ended))).toEqual(blobs.map(() => 'whole'));
    });
  });

  const stalled = (bytes: Buffer) => [head(200, [`Content-Length: ${SIZE}`]), send(bytes.subarray(0, HALF)), hang()];

  it('is left when no byte comes for the stall time, and asked for the rest', async () => {
    await withRig({ timeouts: { stall: 1_000 } }, async (rig) => {
      const blob = rig.blob(SIZE);
      rig.upstream.once('GET', blob.pattern, stalled(blob.bytes));
      rig.serve(blob);
      const { end, digest } = await rig.pull(blob);
      expect([end, digest()]).toEqual(['whole', blob.digest]);
    });
  });

  it.runIf(isFullRun)('ends the transfer when it never gets on', async () => {
    await withRig({ timeouts: { stall: 1_000, headers: 2_000 } }, async (rig) => {
      const blob = rig.blob(SIZE);
      rig.upstream.once('GET', blob.pattern, stalled(blob.bytes));
      rig.upstream.on('GET', blob.pattern, [hang()]);
      expect((await rig.pull(blob)).end).toBe('cut');
    });
  });
});

describe('F11: an upstream whose header fields are late', () => {
  it('is a 504 for what is not here, and delays nothing that is', async () => {
    await withRig({ timeouts: { headers: 2_000 } }, async (rig) => {
      const blob = rig.blob(SIZE);
      rig.upstream.once('GET', blob.pattern, [hang()]);
      const asked = rig.pull(blob);
      await rig.upstream.requestArrived(({ target }) => target === blob.target);
      await rig.expectAlive();
      const { status, body } = await asked;
      expect([status, JSON.parse(body().toString()).errors[0].code]).toEqual([504, 'UNAVAILABLE']);
      rig.serve(blob);
      rig.clock.jump(1_000);
      expect((await rig.pull(blob)).end).toBe('whole');
    });
  });

  it('leaves a tag readable that was read before', async () => {
    await withRig({ timeouts: { headers: 2_000 }, tagTtl: 0 }, async (rig) => {
      const image = sampleImage('oci-amd64');
      const target = '/v2/app/manifests/latest';
      rig.upstream.once('GET', /manifests/, [respond(200, [['Content-Type', image.mediaType]], image.bytes)]);
      rig.upstream.on('HEAD', /manifests/, [hang()]);
      rig.upstream.on('GET', /manifests/, [hang()]);
      const first = await rig.pull({ target });
      // A moment later the very same answer would not be repeated without asking.
      rig.clock.jump(2_000);
      const second = await rig.pull({ target });
      expect([first.status, second.status, second.digest()]).toEqual([200, 200, image.digest]);
      expect(second.header('Cache-Status')).toContain('fwd=stale');
    });
  });

  it.runIf(isFullRun)('gets its 504 within 25 seconds with the times that manifix has by itself', async () => {
    await using upstream = await startScriptedUpstream();
    await using manifix = await startManifix({ upstream: upstream.url });
    upstream.on('GET', /./, [hang()]);
    const target = `/v2/app/blobs/sha256:${'0'.repeat(64)}`;
    const { status } = await within('the answer', exchange(manifix.url, { target }), 25_000);
    expect(status).toBe(504);
  });
});

describe('F17: a presigned URL that expires during the transfer', () => {
  it('is replaced by asking the registry again, and no redirect is kept', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      const { upstream } = rig;
      upstream.once('GET', blob.pattern, [respond(307, [['Location', '/storage?signature=1']])]);
      upstream.on('GET', blob.pattern, [respond(307, [['Location', '/storage?signature=2']])]);
      const start = [head(200, [`Content-Length: ${SIZE}`]), send(blob.bytes.subarray(0, HALF)), fin()];
      upstream.once('GET', /signature=1/, start);
      upstream.on('GET', /signature=1/, [respond(403, [], 'Request has expired')]);
      upstream.on('GET', /signature=2/, [serveBlob(blob.bytes)]);

      const { status, end, header } = await rig.pull(blob);
      expect([status, end, header('Location')]).toEqual([200, 'whole', undefined]);
      const asked = upstream.requests.slice(1).map(({ target, headers }) => [target, headerValue(headers, 'Range')]);
      expect(asked).toEqual([
        [blob.target, undefined],
        ['/storage?signature=1', undefined],
        [blob.target, `bytes=${HALF}-`],
        ['/storage?signature=2', `bytes=${HALF}-`],
      ]);
      await rig.stored(blob);
      expect((await rig.pull(blob)).header('Cache-Status')).toBe('manifix; hit');
    });
  });
});

import { describe, expect, it } from 'vitest';
import { KIB, MIB } from '../store/support/bytes.ts';
import { type Break, cutBlob, serveBlob } from '../support/faults/blob-steps.ts';
import { withRig } from '../support/faults/rig.ts';
import { scale } from '../support/faults/scale.ts';
import { headerValue } from '../support/headers.ts';
import { chunk, fin, head, respond, rst, type Step, send } from '../support/script-steps.ts';

const SIZE = scale(1, 64) * MIB;
const POSITIONS = [0, 1, 65_535, 65_536, SIZE / 2, SIZE - 1];
const RUNS = scale(1, 20);

/** How often a transfer is asked for that never gets on: once, and three times more. */
const TRIES = 4;

function cutsAt(how: Break) {
  it.each(POSITIONS)('at byte %i is resumed where it broke off, and stored', async (position) => {
    for (let run = 0; run < RUNS; run += 1) {
      await withRig({}, async (rig) => {
        const blob = rig.blob(SIZE);
        rig.upstream.once('GET', blob.pattern, cutBlob(blob.bytes, position, how));
        rig.serve(blob);
        const { status, end, digest } = await rig.pull(blob);
        expect([status, end, digest()]).toEqual([200, 'whole', blob.digest]);
        expect(rig.gets(blob)).toBe(2);
        await rig.stored(blob);
        expect((await rig.pull(blob)).header('Cache-Status')).toBe('manifix; hit');
      });
    }
  });

  it.each(POSITIONS)(
    'at byte %i each time is given up after three more tries, never ended as complete',
    async (position) => {
      await withRig({}, async (rig) => {
        const blob = rig.blob(SIZE);
        rig.upstream.once('GET', blob.pattern, cutBlob(blob.bytes, position, how));
        rig.upstream.on('GET', blob.pattern, [how === 'FIN' ? fin() : rst()]);
        const { status, end } = await rig.pull(blob);
        expect([status, end]).not.toEqual([200, 'whole']);
        expect(rig.gets(blob)).toBe(TRIES);
      });
    },
  );
}

describe('F01: an upstream that closes in the middle of a body', () => cutsAt('FIN'));

describe('F02: an upstream that resets in the middle of a body', () => cutsAt('RST'));

describe('F03: an upstream that closes within a chunked body', () => {
  const bytes = (count: number, blob: { readonly bytes: Buffer }): readonly Step[] => [
    head(200, ['Transfer-Encoding: chunked']),
    ...(count === 0 ? [] : [chunk(blob.bytes.subarray(0, count))]),
    fin(),
  ];

  it.each([
    ['before the first chunk', 0],
    ['in the middle', 100 * KIB],
    ['before the last chunk', 200 * KIB],
  ])('%s gets no last chunk out of manifix, and nothing is stored', async (_where, count) => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(200 * KIB);
      rig.upstream.on('GET', blob.pattern, bytes(count, blob));
      const { status, end } = await rig.pull(blob);
      expect([status, end]).not.toEqual([200, 'whole']);
      expect(rig.cache.store.usage().blobs).toBe(1);
    });
  });

  it('is completed when the upstream can resume', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(200 * KIB);
      rig.upstream.once('GET', blob.pattern, bytes(100 * KIB, blob));
      rig.serve(blob);
      const { end, digest } = await rig.pull(blob);
      expect([end, digest()]).toEqual(['whole', blob.digest]);
    });
  });
});

describe('F04: a resumption that is answered with all of it', () => {
  it.each([scale(1, 1) * MIB, scale(3, 60) * MIB])('skips the %i bytes that are here', async (position) => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(scale(4, 64) * MIB);
      rig.upstream.once('GET', blob.pattern, cutBlob(blob.bytes, position, 'FIN'));
      rig.upstream.once('GET', blob.pattern, [respond(200, [], blob.bytes)]);
      const { end, digest } = await rig.pull(blob);
      expect([end, digest()]).toEqual(['whole', blob.digest]);
      expect(rig.gets(blob)).toBe(2);
    });
  });

  it('is believed once only', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(MIB);
      rig.upstream.on('GET', blob.pattern, cutBlob(blob.bytes, 300_000, 'FIN'));
      expect((await rig.pull(blob)).end).toBe('cut');
      expect(rig.gets(blob)).toBe(TRIES);
    });
  });
});

describe('F05: a resumption with another part than was asked for', () => {
  const SHORT = 300_000;
  const HALF = SHORT / 2;
  const rest = `${HALF}-${SHORT - 1}`;

  it.each<[string, readonly string[]]>([
    ['another start', [`Content-Range: bytes ${HALF + 1}-${SHORT - 1}/${SHORT}`]],
    ['another total', [`Content-Range: bytes ${rest}/${SHORT + 1}`]],
    ['an unknown total', [`Content-Range: bytes ${rest}/*`]],
    ['no Content-Range', []],
  ])('(%s) is not spliced in, and the right one is', async (_what, fields) => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SHORT);
      rig.upstream.once('GET', blob.pattern, cutBlob(blob.bytes, HALF, 'FIN'));
      const wrong = blob.bytes.subarray(0, HALF);
      rig.upstream.once('GET', blob.pattern, [head(206, [`Content-Length: ${HALF}`, ...fields]), send(wrong)]);
      rig.serve(blob);
      const { end, digest } = await rig.pull(blob);
      expect([end, digest()]).toEqual(['whole', blob.digest]);
      const asked = rig.upstream.requests.filter(({ target }) => target === blob.target);
      const ranges = asked.map(({ headers }) => headerValue(headers, 'Range'));
      expect(ranges).toEqual([undefined, `bytes=${HALF}-`, `bytes=${HALF}-`]);
    });
  });
});

describe('F06: content that changes between the two halves', () => {
  it('by one byte is never complete and never stored', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(300_000);
      const changed = Buffer.from(blob.bytes);
      changed.writeUInt8(changed.readUInt8(250_000) ^ 1, 250_000);
      rig.upstream.once('GET', blob.pattern, cutBlob(blob.bytes, 150_000, 'FIN'));
      rig.upstream.on('GET', blob.pattern, [serveBlob(changed)]);
      expect((await rig.pull(blob)).end).toBe('cut');
      expect(rig.cache.store.counters().mismatched).toBe(1);
      expect(rig.cache.store.usage().blobs).toBe(1);
    });
  });
});

import { describe, expect, it } from 'vitest';
import { MIB, sample } from '../store/support/bytes.ts';
import { serveBlob } from '../support/faults/blob-steps.ts';
import { type FaultRig, type RigBlob, withRig } from '../support/faults/rig.ts';
import { chunk, fin, head, lastChunk, respond, type Step, send } from '../support/script-steps.ts';

const SIZE = 300_000;

function flipped(bytes: Buffer, at: number): Buffer {
  const wrong = Buffer.from(bytes);
  wrong.writeUInt8(wrong.readUInt8(at) ^ 1, at);
  return wrong;
}

/** Pulls something whose every answer is wrong: it must not come to a good end, nor stay. */
async function expectRefused(rig: FaultRig, blob: RigBlob): Promise<void> {
  const { end, status } = await rig.pull(blob);
  expect([end, status]).not.toEqual(['whole', 200]);
  expect(await rig.cache.store.blobs.open(blob.digest)).toBeUndefined();
}

describe('F07: a blob with another digest', () => {
  it.each([0, SIZE / 2, SIZE - 1])(
    '(a bit at %i) lacks its end, is refused for a minute, and then fetched anew',
    async (at) => {
      await withRig({}, async (rig) => {
        const blob = rig.blob(SIZE);
        rig.upstream.once('GET', blob.pattern, [respond(200, [], flipped(blob.bytes, at))]);
        rig.serve(blob);
        const first = await rig.pull(blob);
        expect(first.end).toBe('cut');
        expect(first.length).toBeLessThan(SIZE);
        const second = await rig.pull(blob);
        expect([second.status, second.header('Retry-After')]).toEqual([502, '60']);
        expect(rig.gets(blob)).toBe(1);
        rig.clock.advance(60_001);
        const third = await rig.pull(blob);
        expect([third.status, third.end]).toEqual([200, 'whole']);
      });
    },
  );
});

describe('F08: a body that is not as long as it says', () => {
  it.each([1, MIB])(
    'is cut to its announced length when %i bytes more follow, and their connection is given up',
    async (more) => {
      await withRig({}, async (rig) => {
        const blob = rig.blob(SIZE);
        const next = rig.blob(1000);
        rig.upstream.on('GET', blob.pattern, [
          head(200, [`Content-Length: ${SIZE}`]),
          send(Buffer.concat([blob.bytes, Buffer.alloc(more, 'x')])),
        ]);
        rig.serve(next);
        expect((await rig.pull(blob)).end).toBe('whole');
        const { connection } = await rig.upstream.requestArrived(({ target }) => target === blob.target);
        await rig.upstream.connectionClosed(connection);
        expect((await rig.pull(next)).end).toBe('whole');
        const later = await rig.upstream.requestArrived(({ target }) => target === next.target);
        expect(later.connection).not.toBe(connection);
      });
    },
  );

  it.each([
    ['a byte less', SIZE - 1],
    ['a MiB less', 2 * MIB],
  ])('is refused when it announces %s than the blob has', async (_what, announced) => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(announced + (announced === SIZE - 1 ? 1 : MIB));
      rig.upstream.on('GET', blob.pattern, [respond(200, [], blob.bytes.subarray(0, announced))]);
      await expectRefused(rig, blob);
    });
  });

  it.each([1, MIB])('is refused when it announces %i bytes more than come', async (more) => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      rig.upstream.on('GET', blob.pattern, [head(200, [`Content-Length: ${SIZE + more}`]), send(blob.bytes), fin()]);
      await expectRefused(rig, blob);
    });
  });

  it('is refused when chunks bring more than the blob has', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      const steps = [head(200, ['Transfer-Encoding: chunked']), chunk(blob.bytes), chunk('x'), lastChunk()];
      rig.upstream.on('GET', blob.pattern, steps);
      await expectRefused(rig, blob);
    });
  });
});

describe('F09: a hostile length', () => {
  it.each([
    ['negative', ['Content-Length: -1']],
    ['in exponents', ['Content-Length: 1e9']],
    ['beyond exact numbers', ['Content-Length: 9007199254740992']],
    ['beyond 64 bits', ['Content-Length: 18446744073709551616']],
    ['two different ones', ['Content-Length: 5', 'Content-Length: 6']],
    ['signed', ['Content-Length: +5']],
    ['with chunks as well', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
  ])('(%s) is a 502 that says so in plain JSON', async (_what, fields) => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      rig.upstream.on('GET', blob.pattern, [head(200, fields), send(blob.bytes), fin()]);
      const { status, end, body } = await rig.pull(blob);
      expect([status, end]).toEqual([502, 'whole']);
      expect(JSON.parse(body().toString()).errors[0].code).toBe('UNAVAILABLE');
      expect(await rig.cache.store.blobs.open(blob.digest)).toBeUndefined();
    });
  });

  it('that is not there at all is none to the client, and the blob is verified all the same', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      rig.upstream.on('GET', blob.pattern, [head(200, ['Connection: close']), send(blob.bytes), fin()]);
      const pulled = await rig.pull(blob);
      expect([pulled.status, pulled.end, pulled.header('Content-Length')]).toEqual([200, 'whole', undefined]);
      await rig.stored(blob);
    });
  });
});

describe('F14: an answer 200 with something else', () => {
  const bodies: readonly (readonly [string, string, string])[] = [
    ['a login page', 'text/html', '<!DOCTYPE html><html><body>Please log in</body></html>'],
    ['an empty JSON document', 'application/json', '{}'],
    ['an OCI error', 'application/json', '{"errors":[{"code":"DENIED","message":"denied"}]}'],
  ];

  it.each(bodies)('(%s) never passes for a blob and is not kept', async (_what, type, body) => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      rig.upstream.on('GET', blob.pattern, [respond(200, [['Content-Type', type]], body)]);
      await expectRefused(rig, blob);
    });
  });

  it.each(bodies)('(%s) is not kept as a manifest, whatever it is asked for by', async (_what, type, body) => {
    await withRig({}, async (rig) => {
      rig.upstream.on('GET', /\/manifests\//, [respond(200, [['Content-Type', type]], body)]);
      const byDigest = await rig.pull({ target: `/v2/app/manifests/${sample(100).digest}` });
      expect(byDigest.status).toBe(502);
      for (const time of [1, 2]) {
        await rig.pull({ target: '/v2/app/manifests/latest' });
        const asked = rig.upstream.requests.filter(({ target }) => target.endsWith('latest'));
        expect(asked).toHaveLength(time);
      }
    });
  });

  it('(a login page) is a 502 by tag', async () => {
    await withRig({}, async (rig) => {
      rig.upstream.on('GET', /\/manifests\//, [respond(200, [['Content-Type', 'text/html']], '<html></html>')]);
      expect((await rig.pull({ target: '/v2/app/manifests/latest' })).status).toBe(502);
    });
  });
});

describe('F15: a body without bytes', () => {
  it.each<[string, readonly Step[]]>([
    ['of length 0', [respond(200)]],
    ['in chunks', [head(200, ['Transfer-Encoding: chunked']), lastChunk()]],
    ['up to the end of the connection', [head(200, []), fin()]],
  ])('%s is refused for a blob that has some', async (_what, steps) => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      rig.upstream.on('GET', blob.pattern, steps);
      await expectRefused(rig, blob);
    });
  });

  it('is right for the empty blob, which is stored and served like any other', async () => {
    await withRig({}, async (rig) => {
      const empty = rig.blob(0);
      expect(empty.digest).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
      rig.upstream.on('GET', empty.pattern, [serveBlob(empty.bytes)]);
      for (const result of ['manifix; fwd=miss; stored', 'manifix; hit']) {
        const pulled = await rig.pull(empty);
        expect([pulled.status, pulled.end, pulled.length, pulled.header('Cache-Status')]).toEqual([
          200,
          'whole',
          0,
          result,
        ]);
        await rig.stored(empty);
      }
    });
  });
});

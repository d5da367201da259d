import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import { FIXES } from '../../src/fixes/index.ts';
import type { FixSetting } from '../../src/fixes/run.ts';
import { answerError } from '../../src/http/respond.ts';
import { createDispatch } from '../../src/pipeline/dispatch.ts';
import type { Endpoint, Exchange } from '../../src/pipeline/exchange.ts';
import { createRegistry } from '../../src/upstream/registry.ts';
import { type DefectInjector, defectNames, startDefectInjector } from '../support/defect-injector.ts';
import { fakeServices } from '../support/fakes.ts';
import { headerValue } from '../support/headers.ts';
import { manifestTypes, mediaTypes, sampleImage, sampleImages, sha256 } from '../support/images.ts';
import { bytesOf, fakeEndpoint, fakeExchange } from '../support/scene.ts';

/** Any setting of each fix: its mode, and one word for each option. */
const settings: fc.Arbitrary<Readonly<Record<string, FixSetting>>> = fc.record(
  Object.fromEntries(
    FIXES.map(({ id, options = {} }) => [
      id,
      fc.record({
        mode: fc.constantFrom('on', 'observe', 'off'),
        options: fc.record(
          Object.fromEntries(Object.entries(options).map(([name, { values }]) => [name, fc.constantFrom(...values)])),
        ),
      }),
    ]),
  ),
);
const accepts = fc.constantFrom(
  [],
  [['Accept', manifestTypes.join(', ')]] as const,
  [['Accept', mediaTypes.ociIndex]] as const,
  [['Accept', `${mediaTypes.ociManifest}, ${mediaTypes.dockerManifest}`]] as const,
  [['Accept', '*/*']] as const,
);
const images = fc.constantFrom(...sampleImages().map(({ name }) => name));

let injector: DefectInjector;

beforeAll(async () => {
  injector = await startDefectInjector();
});
afterAll(() => injector.stop());

/** A manifix without memory in front of the injector, also of limits that another one was told, with these settings. */
function manifixWith(chosen: Readonly<Record<string, FixSetting>>) {
  const upstream = createRegistry({ name: 'registry', urls: [injector.url] });
  const dispatch = createDispatch(fakeServices());
  const endpoint: Endpoint = fakeEndpoint(upstream, chosen);
  const ask = async (method: string, target: string, headers: readonly (readonly [string, string])[] = []) => {
    const exchange: Exchange = fakeExchange(endpoint, method, target, headers);
    const answer = await dispatch(exchange).catch((error: unknown) => {
      if (error instanceof RegistryError) return answerError(error, method);
      throw error;
    });
    const body = await bytesOf(answer.body).catch(() => 'cut' as const);
    const failures = exchange.applied.filter(({ failure }) => failure !== undefined);
    return { status: answer.status, headers: answer.headers, body, failures };
  };
  return { ask, [Symbol.asyncDispose]: () => upstream.close() };
}

const LOOKED_AT = ['Content-Type', 'Content-Length', 'Docker-Content-Digest', 'ETag'];
const essence = ({ status, headers }: { status: number; headers: readonly (readonly [string, string])[] }) => [
  status,
  ...LOOKED_AT.map((name) => headerValue(headers, name)),
];

describe('F82: no combination of modes', () => {
  it('breaks a healthy pull: HEAD is GET, the digest is that of the bytes, and by digest nothing changes', {
    timeout: 120_000,
  }, async () => {
    const run = fc.asyncProperty(settings, images, accepts, async (chosen, name, accept) => {
      await using manifix = manifixWith(chosen);
      const { ask } = manifix;
      const image = sampleImage(name);
      const target = `/v2/healthy/manifests/${name}`;
      const first = await ask('HEAD', target, accept);
      const get = await ask('GET', target, accept);
      const again = await ask('GET', target, accept);
      expect(essence(first)).toEqual(essence(get));
      expect([essence(again), again.body]).toEqual([essence(get), get.body]);
      expect(get.status).toBe(200);
      expect(headerValue(get.headers, 'Docker-Content-Digest')).toBe(sha256(get.body));
      for (const { digest, bytes } of [image, ...image.children]) {
        const exact = await ask('GET', `/v2/healthy/manifests/${digest}`, accept);
        expect([exact.status, exact.body, headerValue(exact.headers, 'Docker-Content-Digest')]).toEqual([
          200,
          bytes,
          digest,
        ]);
      }
      for (const { digest, bytes } of image.blobs) {
        expect((await ask('GET', `/v2/healthy/blobs/${digest}`)).body).toEqual(bytes);
      }
      const answers = [first, get, again];
      expect(answers.flatMap(({ failures }) => failures)).toEqual([]);
    });
    await fc.assert(run, { numRuns: 60 });
  });

  it('serves wrong bytes by digest as complete, whatever the registry does wrong', { timeout: 120_000 }, async () => {
    const defects = defectNames.filter((name) => !name.startsWith('p-'));
    const run = fc.asyncProperty(
      settings,
      fc.constantFrom(...defects),
      images,
      accepts,
      async (chosen, defect, name, accept) => {
        await using manifix = manifixWith(chosen);
        const { ask } = manifix;
        const image = sampleImage(name);
        const [blob] = image.blobs;
        const answers = [
          await ask('GET', `/v2/${defect}/manifests/${image.digest}`, accept),
          await ask('HEAD', `/v2/${defect}/manifests/${name}`, accept),
          await ask('GET', `/v2/${defect}/manifests/${name}`, accept),
          await ask('GET', `/v2/${defect}/tags/list?n=2`),
          await ask('GET', `/v2/${defect}/referrers/${image.digest}`),
        ];
        const [byDigest] = answers;
        const isPlain = (headers: readonly (readonly [string, string])[]) => !headerValue(headers, 'Content-Encoding');
        if (byDigest?.status === 200 && byDigest.body !== 'cut' && isPlain(byDigest.headers)) {
          expect(sha256(byDigest.body)).toBe(image.digest);
        }
        if (blob !== undefined) {
          const answer = await ask('GET', `/v2/${defect}/blobs/${blob.digest}`);
          if (answer.status === 200 && answer.body !== 'cut' && isPlain(answer.headers)) {
            expect(sha256(answer.body)).toBe(blob.digest);
          }
        }
        expect(answers.flatMap(({ failures }) => failures)).toEqual([]);
      },
    );
    await fc.assert(run, { numRuns: 80 });
  });

  it('of observe and off differs in what a client gets', { timeout: 120_000 }, async () => {
    const modes = fc.record(Object.fromEntries(FIXES.map(({ id }) => [id, fc.constantFrom('observe', 'off')])));
    const defects = defectNames.filter((name) => !name.startsWith('p-'));
    const run = fc.asyncProperty(
      modes,
      fc.constantFrom(...defects),
      images,
      accepts,
      async (chosen, defect, name, accept) => {
        const mixed = Object.entries(chosen).map(([id, mode]) => [id, { mode, options: {} }] as const);
        const off = Object.keys(chosen).map((id) => [id, { mode: 'off', options: {} }] as const);
        const target = `/v2/${defect}/manifests/${name}`;
        await using watching = manifixWith(Object.fromEntries(mixed));
        await using plain = manifixWith(Object.fromEntries(off));
        const some = await watching.ask('GET', target, accept);
        const none = await plain.ask('GET', target, accept);
        // Schema 1 is signed anew for every request.
        const isNew = headerValue(none.headers, 'Content-Type')?.includes('prettyjws');
        expect([essence(some), isNew ? '' : some.body]).toEqual([essence(none), isNew ? '' : none.body]);
      },
    );
    await fc.assert(run, { numRuns: 60 });
  });
});

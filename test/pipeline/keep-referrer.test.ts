import { expect, it } from 'vitest';
import { type Digest, digestOf } from '../../src/domain/digest.ts';
import { OCI_MANIFEST } from '../../src/domain/media-type.ts';
import type { RepositoryName } from '../../src/domain/reference.ts';
import type { Route } from '../../src/domain/route.ts';
import { NO_BODY } from '../../src/pipeline/exchange.ts';
import { keepReferrer } from '../../src/pipeline/keep-referrer.ts';
import { createScene, fakeExchange, type Scene } from '../support/scene.ts';

const app = 'app' as RepositoryName;
const subject = digestOf(Buffer.from('subject'));

function artifact(note: string, to: Digest = subject): Buffer {
  const config = { mediaType: 'example/config', digest: subject, size: 7 };
  const annotations = { note };
  const referred = { mediaType: OCI_MANIFEST, digest: to, size: 7 };
  return Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers: [], subject: referred, annotations }));
}

const enabled = () => createScene({ settings: { 'subject-and-referrers-on-push': { mode: 'on', options: {} } } });

/** What the client gets for a manifest that the registry stored, and what is kept of it. */
async function pushed({ services, endpoint }: Scene, bytes: Buffer) {
  const digest = digestOf(bytes);
  const route: Extract<Route, { kind: 'manifest' }> = {
    kind: 'manifest',
    repository: app,
    reference: { kind: 'digest', digest },
  };
  const exchange = fakeExchange(endpoint, 'PUT', `/v2/app/manifests/${digest}`);
  const answer = await keepReferrer(services, exchange, route, bytes, { status: 201, headers: [], body: NO_BODY });
  const kept = services.facts.referrers('registry', app, subject)?.map((descriptor) => descriptor.digest);
  return { headers: answer.headers, kept, notes: exchange.applied.map(({ mode, note }) => `${mode}: ${note}`) };
}

it('claims what was kept', async () => {
  const bytes = artifact('sbom');
  const { headers, kept } = await pushed(enabled(), bytes);
  expect([headers, kept]).toEqual([[['OCI-Subject', subject]], [digestOf(bytes)]]);
});

it('makes every list of before an old one', async () => {
  const scene = enabled();
  const before = scene.services.changes.of('registry\napp');
  await pushed(scene, artifact('sbom'));
  expect(scene.services.changes.of('registry\napp')).not.toBe(before);
});

it('claims nothing that could not be made durable', async () => {
  const scene = enabled();
  scene.services.facts.readOnly = true;
  const { headers, notes } = await pushed(scene, artifact('sbom'));
  expect([headers, notes]).toEqual([[], ['observe: left alone: the referrer could not be kept']]);
  expect(scene.services.telemetry.warnings).toEqual(['a referrer could not be kept']);
});

it('claims nothing while the list cannot be read', async () => {
  const scene = enabled();
  scene.services.facts.referrers = () => undefined;
  expect((await pushed(scene, artifact('sbom'))).headers).toEqual([]);
});

it.each([200, 401, 429, 500])('claims nothing where the registry answers %i for the list', async (status) => {
  const scene = enabled();
  scene.upstream.on('GET', `/v2/app/referrers/${subject}`, { status, body: '{}' });
  const { headers, kept } = await pushed(scene, artifact('sbom'));
  expect([headers, kept]).toEqual([[], []]);
});

it('leaves the push that succeeded a success when the registry is gone after it', async () => {
  const scene = enabled();
  scene.upstream.down = true;
  const { headers, kept } = await pushed(scene, artifact('sbom'));
  expect([headers, kept]).toEqual([[], []]);
});

it('leaves to the fallback tag what would make a list larger than clients read', async () => {
  const scene = enabled();
  expect((await pushed(scene, artifact('x'.repeat(16 * 1024)))).headers).toEqual([]);
  for (let count = 0; count < 256; count += 1) await pushed(scene, artifact(`${count}`));
  const { headers, kept } = await pushed(scene, artifact('one more'));
  expect([headers, kept?.length]).toEqual([[], 256]);
});

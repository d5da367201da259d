import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FixMode } from '../../src/fixes/fix.ts';
import { FIXES } from '../../src/fixes/index.ts';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { essence } from './answers.ts';

const OCI = { Accept: 'application/vnd.oci.image.index.v1+json' };

interface Case {
  readonly fix: string;
  readonly target: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const cases: readonly Case[] = [
  { fix: 'accept-missing-oci-404', target: '/v2/strict-accept/manifests/index' },
  { fix: 'accept-shape', target: '/v2/strict-accept/manifests/index', headers: { Accept: `${OCI.Accept};q=0.5` } },
  { fix: 'content-type-generic', target: '/v2/ct-json/manifests/ct-json', headers: OCI },
  { fix: 'content-type-charset', target: '/v2/ct-charset/manifests/ct-charset', headers: OCI },
  { fix: 'type-conflict', target: '/v2/wrongkind/manifests/wrongkind', headers: OCI },
  { fix: 'docker-content-digest-missing', target: '/v2/no-digest/manifests/no-digest', headers: OCI },
  { fix: 'html-200', target: '/v2/html200/manifests/index', headers: OCI },
  { fix: 'index-without-mediatype', target: '/v2/healthy/manifests/index-nomt', headers: OCI },
  { fix: 'error-body-not-json', target: '/v2/html-404/tags/list' },
  { fix: 'redirect-auth-leak-400', target: `/v2/redirect-blob/blobs/${sampleImage('oci-amd64').blobs[0]?.digest}` },
  { fix: 'gzip-content-encoding', target: '/v2/gzip/manifests/gzip', headers: OCI },
  { fix: 'second-question-mark', method: 'PUT', target: '/v2/p-state/blobs/uploads/1?_state=1?digest=x', body: 'x' },
  {
    fix: 'manifest-put-status-and-digest',
    method: 'PUT',
    target: '/v2/p-mf202/manifests/1',
    headers: { 'Content-Type': OCI.Accept },
    body: `{"schemaVersion":2,"mediaType":"${OCI.Accept}","manifests":[]}`,
  },
];

describe('modes of fixes', () => {
  let injector: DefectInjector;
  const manifixes = new Map<FixMode, Manifix>();

  beforeAll(async () => {
    injector = await startDefectInjector();
    for (const tag of ['ct-json', 'ct-charset', 'wrongkind', 'no-digest', 'gzip']) addIndex(tag);
    const started = (['on', 'observe', 'off'] as const).map(async (mode) => {
      const fixes = mode === 'on' ? {} : Object.fromEntries(FIXES.map(({ id }) => [id, mode]));
      const config = { upstreams: { registry: { url: injector.url } }, fixes };
      manifixes.set(mode, await startManifix({ config }));
    });
    await Promise.all(started);
  });
  afterAll(() => Promise.all([injector, ...manifixes.values()].map((server) => server.stop())));

  /** A manifest of its own for each defect: the cache keeps the fields of the first answer that brought it. */
  function addIndex(tag: string): void {
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: OCI.Accept, manifests: [], annotations: { tag } }),
    );
    injector.content.putManifest('', tag, { bytes, mediaType: OCI.Accept });
  }
  const running = (mode: FixMode): Manifix => {
    const manifix = manifixes.get(mode);
    if (manifix === undefined) throw new Error(`no manifix with its fixes ${mode}`);
    return manifix;
  };
  async function counted(manifix: Manifix, fix: string, mode: string): Promise<number> {
    const { body } = await exchange(manifix.adminUrl, { target: '/metrics' });
    const line = new RegExp(`^manifix_fixes_total\\{endpoint="default",fix="${fix}",mode="${mode}"\\} (\\d+)$`, 'm');
    return Number(line.exec(body.toString())?.[1] ?? 0);
  }
  /** What a client gets, without what manifix adds for every answer. */
  const received = (answer: HttpAnswer) => ({
    ...essence(answer),
    location: answer.header('Location'),
    encoding: answer.header('Content-Encoding'),
  });

  it.each(cases)('$fix: on changes the exchange, counts it and says so', async ({ fix, ...request }) => {
    const manifix = running('on');
    const direct = await exchange(injector.url, request);
    const before = await counted(manifix, fix, 'on');
    const answer = await exchange(manifix.url, request);
    expect(answer.header('Manifix-Fixes')?.split(', ')).toContain(fix);
    // Some repair the request only; what they were for shows in the tests of the defects.
    if (!['accept-shape', 'second-question-mark'].includes(fix)) expect(received(answer)).not.toEqual(received(direct));
    expect(await counted(manifix, fix, 'on')).toBe(before + 1);
    expect(await counted(manifix, fix, 'observe')).toBe(0);
  });

  it.each(cases)('$fix: observe changes nothing, counts it and logs it', async ({ fix, ...request }) => {
    const manifix = running('observe');
    const direct = await exchange(injector.url, request);
    const before = await counted(manifix, fix, 'observe');
    const answer = await exchange(manifix.url, request);
    expect(received(answer)).toEqual(received(direct));
    expect(answer.header('Manifix-Fixes')).toBeUndefined();
    expect(await counted(manifix, fix, 'observe')).toBe(before + 1);
    await manifix.outputMatches(new RegExp(`"fixes":\\[[^\\]]*\\{"id":"${fix}","mode":"observe","note":"[^"]+"\\}`));
  });

  it.each(cases)('$fix: off changes nothing and counts nothing', async ({ fix, ...request }) => {
    const manifix = running('off');
    const direct = await exchange(injector.url, request);
    const answer = await exchange(manifix.url, request);
    expect(received(answer)).toEqual(received(direct));
    expect(answer.header('Manifix-Fixes')).toBeUndefined();
    expect([await counted(manifix, fix, 'on'), await counted(manifix, fix, 'observe')]).toEqual([0, 0]);
    expect(manifix.output()).not.toContain(`"id":"${fix}"`);
  });

  it('can differ by endpoint, which the Host field chooses', async () => {
    await using manifix = await startManifix({
      config: {
        upstreams: { registry: { url: injector.url } },
        endpoints: [
          { name: 'default', upstream: 'registry' },
          { name: 'raw', upstream: 'registry', host: 'raw.test', fixes: { 'content-type-generic': 'off' } },
        ],
      },
    });
    const target = '/v2/ct-json/manifests/index';
    const typeFor = async (host: string) =>
      (await exchange(manifix.url, { target, headers: { ...OCI, Host: host } })).header('Content-Type');
    expect(await typeFor('other.test')).toBe(OCI.Accept);
    expect(await typeFor('raw.test')).toBe('application/json');
    expect(await typeFor('RAW.test:5000')).toBe('application/json');
    expect(await typeFor('other.test')).toBe(OCI.Accept);
  });
});

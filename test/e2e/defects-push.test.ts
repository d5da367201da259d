import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { headerValues } from '../support/headers.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { mediaTypes, sampleImage, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { fixesOf } from './answers.ts';
import { firstError } from './registry-errors.ts';

const FORM = 'application/x-www-form-urlencoded';
const blob = Buffer.from('a blob that is pushed');
const digest = sha256(blob);
const image = sampleImage('oci-amd64');

describe('defects of pushes', () => {
  let injector: DefectInjector;
  let manifix: Manifix;

  beforeAll(async () => {
    injector = await startDefectInjector();
    manifix = await startManifix({ upstream: injector.url });
  });
  afterAll(() => Promise.all([manifix.stop(), injector.stop()]));

  function open(server: { url: string }, repository: string, suffix = '/'): Promise<HttpAnswer> {
    return exchange(server.url, { method: 'POST', target: `/v2/${repository}/blobs/uploads${suffix}` });
  }
  /** Sends the blob to a Location as it was given, with something behind it. */
  function send(method: 'PUT' | 'PATCH', location: string, suffix: string, type?: string): Promise<HttpAnswer> {
    const { origin } = new URL(location);
    const headers = type === undefined ? {} : { 'Content-Type': type };
    return exchange(origin, { method, target: `${location.slice(origin.length)}${suffix}`, headers, body: blob });
  }
  async function sessionAt(server: { url: string }, repository: string): Promise<string> {
    return new URL((await open(server, repository)).header('Location') ?? '', server.url).href;
  }
  const isStored = (repository: string) => injector.content.blob(repository, digest) !== undefined;

  describe.each(['p-lochost', 'p-locproto', 'p-locrel', 'p-twoloc'])('%s', (defect) => {
    it('direct leads away or nowhere; through manifix there is one Location, and it leads back', async () => {
      const direct = headerValues((await open(injector, defect)).headers, 'Location');
      expect(direct.length > 1 || !/^(http:\/\/127\.0\.0\.1:(?!1\/)|\/)/.test(direct[0] ?? '')).toBe(true);
      const opened = await open(manifix, defect);
      expect(fixesOf(opened)).toContain('location-origin');
      const patched = await send('PATCH', opened.header('Location') ?? '', '', 'application/octet-stream');
      const target = patched.header('Location') ?? '';
      const put = await exchange(manifix.url, {
        method: 'PUT',
        target: `${target.slice(manifix.url.length)}&digest=${digest}`,
      });
      for (const answer of [opened, patched, put]) {
        const locations = headerValues(answer.headers, 'Location');
        expect(locations).toHaveLength(1);
        expect(locations[0]).toMatch(new RegExp(`^${manifix.url}/v2/${defect}/blobs/`));
      }
      expect([opened.status, patched.status, put.status, isStored(defect)]).toEqual([202, 202, 201, true]);
    });
  });

  it('p-noloc: an upload that cannot go on is a 502 that says why', async () => {
    expect((await open(injector, 'p-noloc')).header('Location')).toBeUndefined();
    const answer = await open(manifix, 'p-noloc');
    expect(answer.status).toBe(502);
    expect(firstError(answer.body).message).toBe('upstream returned no Location for an upload');
  });

  it('p-nodigest: the answers to finished pushes name what was stored', async () => {
    const direct = await send('PUT', await sessionAt(injector, 'p-nodigest'), `&digest=${digest}`);
    expect([direct.status, direct.header('Docker-Content-Digest')]).toEqual([201, undefined]);
    const answer = await send('PUT', await sessionAt(manifix, 'p-nodigest'), `&digest=${digest}`);
    expect([answer.status, answer.header('Docker-Content-Digest')]).toEqual([201, digest]);
    await pushImage(manifix.url, 'p-nodigest', '1', image);
    const manifest = await putManifest(manifix, 'p-nodigest', image.mediaType);
    expect(manifest.header('Docker-Content-Digest')).toBe(image.digest);
  });

  it('p-digestwrong: a registry that stored something else is not believed', async () => {
    const answer = await pushedThenPut('p-digestwrong', injector);
    expect([answer.status, answer.header('Docker-Content-Digest')]).toEqual([201, `sha256:${'2'.repeat(64)}`]);
    const refused = await putManifest(manifix, 'p-digestwrong', image.mediaType);
    expect(refused.status).toBe(502);
    expect(firstError(refused.body).explanation).toContain(`sha256:${'2'.repeat(64)}`);
  });

  it('p-mf202: a stored manifest is answered with 201', async () => {
    expect((await pushedThenPut('p-mf202', injector)).status).toBe(202);
    const answer = await putManifest(manifix, 'p-mf202', image.mediaType);
    expect([answer.status, answer.header('Docker-Content-Digest')]).toEqual([201, image.digest]);
    expect(answer.header('Location')).toBe(`${manifix.url}/v2/p-mf202/manifests/${image.digest}`);
  });

  it('p-slash301: an upload is opened without the slash', async () => {
    expect((await open(injector, 'p-slash301', '')).status).toBe(301);
    const answer = await open(manifix, 'p-slash301', '');
    expect(answer.status).toBe(202);
    expect((await send('PUT', answer.header('Location') ?? '', `&digest=${digest}`)).status).toBe(201);
  });

  it('p-state: a second question mark does not spoil the upload state', async () => {
    const direct = await send('PUT', await sessionAt(injector, 'p-state'), `?digest=${digest}`);
    expect([direct.status, firstError(direct.body).detail]).toEqual([404, 212]);
    const answer = await send('PUT', await sessionAt(manifix, 'p-state'), `?digest=${digest}`);
    expect([answer.status, isStored('p-state')]).toEqual([201, true]);
    expect(fixesOf(answer)).toContain('second-question-mark');
  });

  it('p-form: a body that is called a form is stored, by PUT and by PATCH', async () => {
    const direct = await send('PUT', await sessionAt(injector, 'p-form'), `&digest=${digest}`, FORM);
    expect([direct.status, firstError(direct.body).code]).toEqual([400, 'DIGEST_INVALID']);
    const chunk = await send('PATCH', await sessionAt(injector, 'p-form'), '', FORM);
    expect([chunk.status, firstError(chunk.body).code]).toEqual([500, 'UNKNOWN']);
    const answer = await send('PUT', await sessionAt(manifix, 'p-form'), `&digest=${digest}`, FORM);
    expect([answer.status, isStored('p-form')]).toEqual([201, true]);
    expect((await send('PATCH', await sessionAt(manifix, 'p-form'), '', FORM)).status).toBe(202);
  });

  it('p-post202: a blob that comes with the POST is stored', async () => {
    const post = (url: string) =>
      exchange(url, { method: 'POST', target: `/v2/p-post202/blobs/uploads/?digest=${digest}`, body: blob });
    expect([(await post(injector.url)).status, isStored('p-post202')]).toEqual([202, false]);
    const answer = await post(manifix.url);
    expect([answer.status, answer.header('Docker-Content-Digest')]).toEqual([201, digest]);
    expect(isStored('p-post202')).toBe(true);
  });

  it.each([
    ['without its algorithm', digest.slice('sha256:'.length)],
    ['in capitals', `sha256:${digest.slice('sha256:'.length).toUpperCase()}`],
    ['with a newline', `${digest}%0A`],
    ['with the colon encoded', digest.replace(':', '%3A')],
  ])('a digest parameter %s is understood', async (_, written) => {
    const answer = await send('PUT', await sessionAt(manifix, 'p-healthy/shape'), `&digest=${written}`);
    expect([answer.status, answer.header('Docker-Content-Digest')]).toEqual([201, digest]);
  });

  it.each([
    'nothing at all',
    FORM,
    'application/json',
    'text/plain',
    'application/octet-stream',
    `${mediaTypes.ociManifest}; charset=UTF-8`,
    mediaTypes.dockerManifest,
    mediaTypes.ociIndex,
  ])('p-manifest-type: a manifest sent as %s is stored as what it is', async (type) => {
    const direct = await pushedThenPut('p-manifest-type', injector, type);
    expect([direct.status, firstError(direct.body).code]).toEqual([400, 'MANIFEST_INVALID']);
    expect((await putManifest(manifix, 'p-manifest-type', type)).status).toBe(201);
    const stored = injector.content.manifest('p-manifest-type', 'again');
    expect([stored?.digest, stored?.manifest.mediaType]).toEqual([image.digest, image.mediaType]);
  });

  it('p-manifest-400-too-large: a manifest that is too large is a 413 that says so', async () => {
    const body = JSON.stringify({ ...JSON.parse(image.bytes.toString()), annotations: { a: 'x'.repeat(5 << 20) } });
    const put = (url: string) =>
      exchange(url, {
        method: 'PUT',
        target: '/v2/p-manifest-400-too-large/manifests/1',
        headers: { 'Content-Type': image.mediaType },
        body,
      });
    expect((await put(injector.url)).status).toBe(400);
    const answer = await put(manifix.url);
    expect([answer.status, firstError(answer.body).code]).toEqual([413, 'MANIFEST_INVALID']);
    expect(firstError(answer.body).explanation).toContain(`${body.length} bytes`);
  });

  async function pushedThenPut(repository: string, server: { url: string }, type = image.mediaType) {
    for (const { bytes } of image.blobs) injector.content.putBlob(repository, bytes);
    return putManifest(server, repository, type);
  }
  function putManifest(server: { url: string }, repository: string, type: string): Promise<HttpAnswer> {
    const headers = type === 'nothing at all' ? {} : { 'Content-Type': type };
    const target = `/v2/${repository}/manifests/again`;
    return exchange(server.url, { method: 'PUT', target, headers, body: image.bytes });
  }
});

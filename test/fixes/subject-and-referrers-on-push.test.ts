import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixesOf } from '../e2e/answers.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { answer, type DoubleRequest, type DoubleResponse, errorAnswer } from '../support/double/message.ts';
import { headerValue } from '../support/headers.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { manifestTypes, mediaTypes, sampleImage, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';
import { describeWithTools } from '../support/tools.ts';

const FIX = 'subject-and-referrers-on-push';
const image = sampleImage('oci-amd64');
const login = { Authorization: 'Basic dXNlcjpzZWNyZXQ=' };
/** The blob that artifacts have as config and layer (image-spec, "Guidance for an Empty Descriptor"). */
const empty = { mediaType: 'application/vnd.oci.empty.v1+json', digest: sha256('{}'), size: 2 };

function artifact(artifactType: string, subject: string = image.digest) {
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType,
    config: empty,
    layers: [empty],
    subject: { mediaType: mediaTypes.ociManifest, digest: subject, size: image.bytes.length },
    annotations: { 'org.example.of': artifactType },
  };
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = sha256(bytes);
  const descriptor = { mediaType: mediaTypes.ociManifest, digest, size: bytes.length, artifactType };
  return { bytes, digest, descriptor: { ...descriptor, annotations: document.annotations } };
}
const sbom = artifact('example/sbom');
const signature = artifact('example/signature');

type Server = { readonly url: string };
type Headers = Readonly<Record<string, string>>;

function push(server: Server, repository: string, { bytes, digest }: typeof sbom, headers: Headers = {}) {
  const target = `/v2/${repository}/manifests/${digest}`;
  const typed = { ...headers, 'Content-Type': mediaTypes.ociManifest };
  return exchange(server.url, { method: 'PUT', target, headers: typed, body: bytes });
}
const referrers = (server: Server, repository: string, rest: string = image.digest, headers: Headers = {}) =>
  exchange(server.url, { target: `/v2/${repository}/referrers/${rest}`, headers });
const remove = (server: Server, repository: string, digest: string) =>
  exchange(server.url, { method: 'DELETE', target: `/v2/${repository}/manifests/${digest}` });
const listed = ({ body }: HttpAnswer) => JSON.parse(body.toString()).manifests;
const byDigest = (descriptors: readonly { readonly digest: string }[]) =>
  descriptors.toSorted((a, b) => a.digest.localeCompare(b.digest));

/** As docker-registry answers: it ignores `subject`, and its router asks nobody for credentials. `api/` has the API. */
async function withoutReferrers(
  { path, method, headers }: DoubleRequest,
  respond: () => Promise<DoubleResponse>,
): Promise<DoubleResponse> {
  if (path.startsWith('/v2/api/')) return respond();
  if (path.startsWith('/v2/failing/') && path.includes('/referrers/')) return answer(503);
  if (path.includes('/referrers/')) return answer(404, [['Content-Type', 'text/plain']], '404 page not found\n');
  if (path.startsWith('/v2/private/') && headerValue(headers, 'Authorization') !== login.Authorization) {
    const refusal = errorAnswer(401, 'UNAUTHORIZED', 'authentication required');
    return { ...refusal, headers: [...refusal.headers, ['WWW-Authenticate', 'Basic realm="registry"']] };
  }
  const response = await respond();
  if (method !== 'PUT') return response;
  return { ...response, headers: response.headers.filter(([name]) => name !== 'OCI-Subject') };
}

describe(FIX, () => {
  let registry: RegistryDouble;
  let manifix: Manifix;
  let repositories = 0;

  beforeAll(async () => {
    registry = await startRegistryDouble({ intercept: withoutReferrers });
    const endpoints = [
      { name: 'default', fixes: { [FIX]: 'on' } },
      { name: 'off', host: 'off.local' },
      { name: 'observe', host: 'observe.local', fixes: { [FIX]: 'observe' } },
    ].map((endpoint) => ({ upstream: 'registry', ...endpoint }));
    // That a registry has no API is remembered of the whole of it, so that those which answer otherwise are registries of their own.
    const others = ['api', 'failing'].map((name) => ({
      name,
      upstream: name,
      host: `${name}.local`,
      fixes: { [FIX]: 'on' },
    }));
    const { url } = registry;
    const upstreams = { registry: { url }, api: { url }, failing: { url } };
    const cache = { tagTtl: '0s' };
    manifix = await startManifix({ config: { upstreams, endpoints: [...endpoints, ...others], cache } });
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop()]));

  /** A repository of its own with the image and the empty blob. */
  function repository(group = 'team'): string {
    repositories += 1;
    const name = `${group}/app${repositories}`;
    registry.content.addImage(name, 'latest', image);
    registry.content.putBlob(name, Buffer.from('{}'));
    return name;
  }

  it('claims the subject that the registry ignored, and lists what was pushed', async () => {
    const app = repository();
    expect((await push(registry, app, sbom)).header('OCI-Subject')).toBeUndefined();
    expect((await referrers(registry, app)).status).toBe(404);
    const pushed = await push(manifix, app, sbom);
    expect([pushed.status, pushed.header('OCI-Subject')]).toEqual([201, image.digest]);
    expect(fixesOf(pushed)).toContain(FIX);
    await push(manifix, app, signature);
    const answer = await referrers(manifix, app);
    expect([answer.status, answer.header('Content-Type')]).toEqual([200, mediaTypes.ociIndex]);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ schemaVersion: 2, mediaType: mediaTypes.ociIndex });
    expect(byDigest(listed(answer))).toEqual(byDigest([sbom.descriptor, signature.descriptor]));
  });

  it('filters by artifactType and says so', async () => {
    const app = repository();
    for (const one of [sbom, signature]) await push(manifix, app, one);
    const answer = await referrers(manifix, app, `${image.digest}?artifactType=example%2Fsbom`);
    expect(answer.header('OCI-Filters-Applied')).toBe('artifactType');
    expect(listed(answer)).toEqual([sbom.descriptor]);
    expect((await referrers(manifix, app)).header('OCI-Filters-Applied')).toBeUndefined();
  });

  it('lists what clients put under the fallback tag as well, each manifest once and only what is there', async () => {
    const app = repository();
    await push(manifix, app, sbom);
    registry.content.putManifest(app, signature.digest, {
      bytes: signature.bytes,
      mediaType: mediaTypes.ociManifest,
    });
    const gone = artifact('example/gone').descriptor;
    const manifests = [sbom.descriptor, signature.descriptor, gone];
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
    registry.content.putManifest(app, image.digest.replace(':', '-'), {
      bytes: Buffer.from(JSON.stringify(index)),
      mediaType: mediaTypes.ociIndex,
    });
    const found = listed(await referrers(manifix, app));
    expect(byDigest(found)).toEqual(byDigest([sbom.descriptor, signature.descriptor]));
  });

  it('answers an empty list for what nothing refers to', async () => {
    const app = repository();
    for (const subject of [image.digest, sha256('unknown')]) {
      const answer = await referrers(manifix, app, subject);
      expect([answer.status, listed(answer)]).toEqual([200, []]);
    }
  });

  it('forgets what is deleted, and lists nothing that was deleted elsewhere', async () => {
    const app = repository();
    for (const one of [sbom, signature]) await push(manifix, app, one);
    expect((await remove(manifix, app, sbom.digest)).status).toBe(202);
    expect(listed(await referrers(manifix, app))).toEqual([signature.descriptor]);
    // Put back without manifix, it is not known any more.
    registry.content.putManifest(app, sbom.digest, { bytes: sbom.bytes, mediaType: mediaTypes.ociManifest });
    expect(listed(await referrers(manifix, app))).toEqual([signature.descriptor]);
    registry.content.deleteManifest(app, signature.digest);
    expect(listed(await referrers(manifix, app))).toEqual([]);
  });

  it('tells nothing to a caller whom the registry refuses, whatever others were told', async () => {
    const app = repository('private');
    expect((await push(manifix, app, sbom, login)).header('OCI-Subject')).toBe(image.digest);
    expect(listed(await referrers(manifix, app, image.digest, login))).toEqual([sbom.descriptor]);
    const refused = await referrers(manifix, app);
    expect([refused.status, refused.header('WWW-Authenticate')]).toEqual([401, 'Basic realm="registry"']);
    expect(refused.body.toString()).not.toContain(sbom.digest);
  });

  it('lists for a derived digest what refers to the one that the registry has', async () => {
    const app = repository();
    const index = sampleImage('index-nomt');
    registry.content.addImage(app, 'untyped', index);
    const headers = { Accept: manifestTypes.join(', ') };
    const pulled = await exchange(manifix.url, { target: `/v2/${app}/manifests/untyped`, headers });
    const derived = pulled.header('Docker-Content-Digest') ?? '';
    expect(derived).not.toBe(index.digest);
    const one = artifact('example/sbom', index.digest);
    await push(manifix, app, one);
    expect(listed(await referrers(manifix, app, derived))).toEqual([one.descriptor]);
  });

  it('leaves a registry alone that has the API', async () => {
    const app = repository('api');
    const headers = { Host: 'api.local' };
    const pushed = await push(manifix, app, sbom, headers);
    expect([pushed.status, pushed.header('OCI-Subject')]).toEqual([201, image.digest]);
    const through = await referrers(manifix, app, image.digest, headers);
    const direct = await referrers(registry, app);
    expect([through.status, through.body]).toEqual([200, direct.body]);
    expect([...fixesOf(pushed), ...fixesOf(through)]).not.toContain(FIX);
  });

  it('claims nothing where the registry does not say that it has no API', async () => {
    const app = repository('failing');
    const headers = { Host: 'failing.local' };
    const pushed = await push(manifix, app, sbom, headers);
    expect([pushed.status, pushed.header('OCI-Subject')]).toEqual([201, undefined]);
    expect((await referrers(manifix, app, image.digest, headers)).status).toBe(503);
  });

  it.each(['off', 'observe'])('with %s leaves pushes and lists as they are', async (mode) => {
    const app = repository();
    const headers = { Host: `${mode}.local` };
    const pushed = await push(manifix, app, sbom, headers);
    expect([pushed.status, pushed.header('OCI-Subject')]).toEqual([201, undefined]);
    expect((await referrers(manifix, app, image.digest, headers)).status).toBe(404);
    expect(listed(await referrers(manifix, app))).toEqual([]);
  });

  it('remembers across a power cut', async () => {
    const app = repository();
    await push(manifix, app, sbom);
    await manifix.kill9();
    await manifix.restart();
    expect(listed(await referrers(manifix, app))).toEqual([sbom.descriptor]);
  });
});

describeWithTools(`${FIX} at docker-registry`, ['docker-registry'], () => {
  it('serves the requests of oras attach, discover and delete', async () => {
    await using registry = await startDockerRegistry();
    const config = { upstreams: { registry: { url: registry.url } }, fixes: { [FIX]: 'on' } };
    await using manifix = await startManifix({ config });
    const blob = { ...empty, bytes: Buffer.from('{}') };
    await pushImage(manifix.url, 'app', 'latest', { ...image, blobs: [...image.blobs, blob] });
    expect((await push(registry, 'app', sbom)).header('OCI-Subject')).toBeUndefined();
    for (const one of [sbom, signature]) {
      expect((await push(manifix, 'app', one)).header('OCI-Subject')).toBe(image.digest);
    }
    expect((await referrers(registry, 'app')).status).toBe(404);
    const all = byDigest([sbom.descriptor, signature.descriptor]);
    expect(byDigest(listed(await referrers(manifix, 'app')))).toEqual(all);
    const filtered = await referrers(manifix, 'app', `${image.digest}?artifactType=example/signature`);
    expect([filtered.header('OCI-Filters-Applied'), listed(filtered)]).toEqual([
      'artifactType',
      [signature.descriptor],
    ]);
    expect((await remove(manifix, 'app', sbom.digest)).status).toBe(202);
    await manifix.restart();
    expect(listed(await referrers(manifix, 'app'))).toEqual([signature.descriptor]);
    // Unknown repositories as well: nobody has anything there.
    expect(listed(await referrers(manifix, 'other'))).toEqual([]);
  });
});

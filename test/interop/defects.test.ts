import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openContainersHome } from '../support/clients/containers.ts';
import { imageClients } from '../support/clients/image-clients.ts';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { cutBlob, serveBlob } from '../support/faults/blob-steps.ts';
import { headerValue, withHeader } from '../support/headers.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { startRegistryDouble } from '../support/registry-double.ts';
import { respond } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';
import { describeWithTools } from '../support/tools.ts';
import { type Engines, startEngines } from './engines.ts';

/** Defects at which containerd gives up when it meets them directly: it asks by HEAD. */
const fatal = ['head404', 'head403'];
/** Those that clients bear, through manifix as before. */
const borne = ['head405', 'blob-serves-manifest', 'range-ignored', 'redirect-own', 'strict-accept', 'head-presigned'];

describe('pulls from a registry with a defect', () => {
  let injector: DefectInjector;
  let manifix: Manifix;
  let engines: Engines;

  beforeAll(async () => {
    engines = startEngines();
    injector = await startDefectInjector();
    manifix = await startManifix({ upstream: injector.url });
  });
  afterAll(() => Promise.all([engines.stop(), manifix.stop(), injector.stop()]));

  describe.each(imageClients.filter(({ name }) => name === 'containerd' || name === 'skopeo'))('by $name', (kind) => {
    describeWithTools('on this machine', kind.tools, () => {
      it.each(kind.name === 'containerd' ? fatal : [])(
        'fail at %s directly, and work through manifix',
        async (defect) => {
          const client = await engines.of(kind);
          expect(await client.pull(`${injector.host}/${defect}:oci-amd64`)).not.toMatchObject({ code: 0 });
          // A registry whose HEAD succeeded lately would be believed.
          await using unacquainted = await startManifix({ upstream: injector.url });
          const through = await client.pull(`${unacquainted.host}/${defect}:oci-amd64`);
          expect(through, through.stderr).toMatchObject({ code: 0 });
        },
      );

      it.each(borne)('work at %s through manifix', async (defect) => {
        const client = await engines.of(kind);
        const through = await client.pull(`${manifix.host}/${defect}:index`);
        expect(through, through.stderr).toMatchObject({ code: 0 });
      });
    });
  });
});

describeWithTools('a registry that promises signatures where manifix is no registry', ['skopeo'], () => {
  it('is pulled from by skopeo through manifix alone', async () => {
    await using registry = await startRegistryDouble({
      intercept: async (_, respondNormally) => {
        const response = await respondNormally();
        return { ...response, headers: withHeader(response.headers, 'X-Registry-Supports-Signatures', '1') };
      },
    });
    registry.content.addImage('app', '1', sampleImage('oci-amd64'));
    await using manifix = await startManifix({ upstream: registry.url });
    await using home = await openContainersHome();
    const pull = (host: string) =>
      home.skopeo('copy', '--src-tls-verify=false', `docker://${host}/app:1`, `dir:${home.directory}/pulled`);
    expect((await pull(registry.host)).stderr).toContain('signatures');
    expect(await pull(manifix.host)).toMatchObject({ code: 0 });
  });
});

describeWithTools('a registry that breaks off in the middle of a layer', ['podman'], () => {
  it('is asked for the rest, and podman has its image at the first pull', async () => {
    const image = sampleImage('oci-amd64');
    await using registry = await startScriptedUpstream();
    registry.on('GET', /^\/v2\/$/, [respond(200)]);
    const fields = [['Content-Type', image.mediaType] as const, ['Docker-Content-Digest', image.digest] as const];
    for (const method of ['GET', 'HEAD']) registry.on(method, /manifests/, [respond(200, fields, image.bytes)]);
    for (const { digest, bytes } of image.blobs) {
      registry.once('GET', new RegExp(digest), cutBlob(bytes, Math.floor(bytes.length / 2), 'FIN'));
      registry.on('GET', new RegExp(digest), [serveBlob(bytes)]);
    }
    await using manifix = await startManifix({ upstream: registry.url });
    await using home = await openContainersHome();
    const pulled = await home.podman('pull', '--tls-verify=false', `${manifix.host}/app:1`);
    expect(pulled, pulled.stderr).toMatchObject({ code: 0 });
    const rests = registry.requests.flatMap(({ headers }) => headerValue(headers, 'Range') ?? []);
    expect(rests).toHaveLength(image.blobs.length);
  });
});

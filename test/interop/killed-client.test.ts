import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { openContainersHome } from '../support/clients/containers.ts';
import { barrier } from '../support/deadline.ts';
import { serveBlob } from '../support/faults/blob-steps.ts';
import { mediaTypes, sha256 } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';
import { startProcess } from '../support/process.ts';
import { head, respond, send, waitFor } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';
import { describeWithTools } from '../support/tools.ts';
import { tarArchive } from '../support/ustar.ts';

/** An image whose one layer is larger than what sockets and pipes hold. */
function largeImage() {
  const archive = tarArchive({ 'large.bin': randomBytes(8 * 1024 * 1024) });
  const layer = gzipSync(archive, { level: 1 });
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [sha256(archive)] },
    }),
  );
  const describe = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: sha256(bytes), size: bytes.length });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: describe(mediaTypes.ociConfig, config),
      layers: [describe(mediaTypes.ociLayer, layer)],
    }),
  );
  return { layer, config, manifest };
}

describeWithTools('podman that is killed in the middle of a layer', ['podman'], () => {
  it('pulls the image again through manifix, which asks the registry for no byte of the layer twice', async () => {
    const { layer, config, manifest } = largeImage();
    const half = Math.floor(layer.length / 2);
    const rest = barrier();
    await using registry = await startScriptedUpstream();
    registry.on('GET', /^\/v2\/$/, [respond(200)]);
    const fields = [
      ['Content-Type', mediaTypes.ociManifest],
      ['Docker-Content-Digest', sha256(manifest)],
    ] as const;
    for (const method of ['GET', 'HEAD']) registry.on(method, /manifests/, [respond(200, fields, manifest)]);
    registry.on('GET', new RegExp(sha256(config)), [serveBlob(config)]);
    const halfSent = barrier();
    registry.once('GET', new RegExp(sha256(layer)), [
      head(200, [`Content-Length: ${layer.length}`]),
      send(layer.subarray(0, half)),
      async () => halfSent.release(),
      waitFor(rest),
      send(layer.subarray(half)),
    ]);
    registry.on('GET', new RegExp(sha256(layer)), [serveBlob(layer)]);
    await using manifix = await startManifix({ upstream: registry.url });
    await using home = await openContainersHome();
    const reference = `${manifix.host}/app:1`;

    const killed = await startProcess('podman', ['pull', '--tls-verify=false', reference], { env: home.env });
    await halfSent.passed;
    killed.kill('SIGKILL');
    expect(await killed.exited).toEqual({ code: null, signal: 'SIGKILL' });
    // A download that nobody reads is not kept up for long.
    rest.release();
    expect(await home.podman('image', 'exists', reference)).toMatchObject({ code: 1 });

    const again = await home.podman('pull', '--tls-verify=false', reference);
    expect(again, again.stderr).toMatchObject({ code: 0 });
    const ranges = registry.requests
      .filter(({ target }) => target.includes(sha256(layer)))
      .map(({ headers }) => headers.find(([name]) => name.toLowerCase() === 'range')?.[1]);
    expect(ranges).toEqual([undefined]);
  });
});

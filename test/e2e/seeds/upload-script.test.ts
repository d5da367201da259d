import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../../support/docker-registry.ts';
import { exchange } from '../../support/http.ts';
import { mediaTypes, sampleImage } from '../../support/images.ts';
import { type Manifix, startManifix } from '../../support/manifix.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary.ts';
import { describeWithTools } from '../../support/tools.ts';
import { shell } from './shell.ts';

const image = sampleImage('docker-amd64');

/**
 * A script as people have written it against docker-registry: it counts on the redirect of the missing slash by taking
 * the second Location line, appends &digest= to whatever Location says, and states Content-Length itself.
 */
const UPLOAD = `
set -e
upload() {
  location=$(curl -X POST -siL -H 'Connection: close' "$registry/v2/$repository/blobs/uploads" |
    grep Location | sed '2q;d' | cut -d: -f2- | tr -d ' \\r')
  size=$(stat -c%s "$1")
  location=$(curl -X PATCH -v -s -H 'Content-Type: application/octet-stream' -H "Content-Length: $size" \\
    -H 'Connection: close' --data-binary @"$1" $location 2>&1 | grep Location | cut -d: -f2- | tr -d ' \\r')
  curl -X PUT -s -o /dev/null -w '%{http_code} ' -H 'Content-Length: 0' -H 'Connection: close' \\
    "$location&digest=sha256:$(sha256sum "$1" | cut -d' ' -f1)"
}
upload "$layer"
upload "$config"
size=$(stat -c%s "$manifest")
curl -X PUT -s -o /dev/null -w '%{http_code}' -H 'Content-Type: ${mediaTypes.dockerManifest}' \\
  -H "Content-Length: $((size - 1))" -H 'Connection: close' -d "$(cat "$manifest")" \\
  "$registry/v2/$repository/manifests/latest"
`;

describeWithTools('an upload script that was written for docker-registry', ['docker-registry', 'curl'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;
  let directory: TemporaryDirectory;
  let files: Record<'layer' | 'config' | 'manifest', string>;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    [manifix, directory] = await Promise.all([startManifix({ upstream: registry.url }), temporaryDirectory()]);
    const [config, layer] = image.blobs;
    const path = (name: string) => join(directory.path, name);
    files = { layer: path('layer'), config: path('config'), manifest: path('manifest') };
    await writeFile(files.layer, layer?.bytes ?? '');
    await writeFile(files.config, config?.bytes ?? '');
    // The script drops the newline at the end of the file, and counts on it.
    await writeFile(files.manifest, `${image.bytes}\n`);
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop(), directory.remove()]));

  it.each(['docker-registry', 'manifix'] as const)('runs unchanged against %s', async (server) => {
    const url = server === 'manifix' ? manifix.url : registry.url;
    const { stdout, stderr } = await shell(UPLOAD, { ...files, registry: url, repository: `by/${server}` });
    expect(stdout, stderr).toBe('201 201 201');
    const pulled = await exchange(registry.url, {
      target: `/v2/by/${server}/manifests/latest`,
      headers: { Accept: mediaTypes.dockerManifest },
    });
    expect(pulled.body).toEqual(image.bytes);
  });
});

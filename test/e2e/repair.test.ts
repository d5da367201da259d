import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { startDefectInjector } from '../support/defect-injector.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { mediaTypes, type SampleImage, sampleImage, sha256 } from '../support/images.ts';
import { run } from '../support/process.ts';
import { pushImage } from '../support/push-image.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const INDEX = sampleImage('index-nomt');

const repair = (url: string, ...args: readonly string[]) => repairWith({ upstreams: { lab: { url } } }, args);

async function repairWith(config: object, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  await using home = await temporaryDirectory();
  const file = join(home.path, 'config.yaml');
  await writeFile(file, stringify(config));
  return await run(process.execPath, [main, 'repair', ...args, '--config', file], { env });
}

/** A real docker-registry that holds this under `app:1`. */
async function registryWith(image: SampleImage) {
  const registry = await startDockerRegistry();
  await pushImage(registry.url, 'app', '1', image);
  const get = (reference: string) =>
    exchange(registry.url, { target: `/v2/app/manifests/${reference}`, headers: { Accept: mediaTypes.ociIndex } });
  return { registry, get, [Symbol.asyncDispose]: registry.stop };
}

describe('manifix repair', () => {
  it('shows what would change and writes nothing with --dry-run', async () => {
    await using scene = await registryWith(INDEX);
    const { code, stdout, stderr } = await repair(scene.registry.url, 'app:1', '--dry-run');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`before  ${INDEX.digest}\n`);
    expect(stdout).toMatch(/^ {2}at byte 1, 54 bytes more\n {2}- "\{.*"\n {2}\+ "\{\\"mediaType\\":/m);
    expect(stdout).toMatch(/^nothing was written$/m);
    expect((await scene.get('1')).body).toEqual(INDEX.bytes);
  });

  it('heals the registry: the tag has the repaired index, and the old digest stays reachable', async () => {
    await using scene = await registryWith(INDEX);
    expect(await repair(scene.registry.url, 'app:1')).toMatchObject({ code: 0, stderr: '' });
    const byTag = await scene.get('1');
    expect(JSON.parse(byTag.body.toString()).mediaType).toBe(mediaTypes.ociIndex);
    expect((await scene.get(INDEX.digest)).body).toEqual(INDEX.bytes);
    const again = await repair(scene.registry.url, 'app:1');
    expect(again).toMatchObject({ code: 0, stdout: 'app:1: nothing to repair: it says what it is\n' });
  });

  it('leaves alone what is signed, unless it is forced', async () => {
    await using scene = await registryWith(INDEX);
    await pushImage(scene.registry.url, 'app', `${INDEX.digest.replace(':', '-')}.sig`, sampleImage('oci-amd64'));
    const refused = await repair(scene.registry.url, 'app:1');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain(`signatures or referrers of ${INDEX.digest} exist (sha256-`);
    expect((await scene.get('1')).body).toEqual(INDEX.bytes);
    expect(await repair(scene.registry.url, 'app:1', '--force')).toMatchObject({ code: 0 });
    expect(sha256((await scene.get('1')).body)).not.toBe(INDEX.digest);
  });

  it('asks with the credentials of MANIFIX_USER', async () => {
    await using registry = await startDockerRegistry({
      htpasswd: 'user:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n',
    });
    const config = { upstreams: { lab: { url: registry.url } } };
    const refused = await repairWith(config, ['app:none'], { MANIFIX_USER: 'user:other' });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/ was answered 401 /) });
    const known = await repairWith(config, ['app:none'], { MANIFIX_USER: 'user:secret' });
    expect(known).toMatchObject({ code: 1, stderr: expect.stringMatching(/ was answered 404 /) });
  });

  it('says that a healthy image needs nothing', async () => {
    await using scene = await registryWith(sampleImage('docker-amd64'));
    const { code, stdout } = await repair(scene.registry.url, 'app:1');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'app:1: nothing to repair: it says what it is\n' });
  });

  it('tells what the registry refuses, and what makes no sense', async () => {
    await using injector = await startDefectInjector();
    expect(await repair(injector.url, 'x/app:none')).toMatchObject({
      code: 1,
      stderr: 'manifix: x/app:none: GET of none was answered 404 manifest unknown\n',
    });
    expect(await repair(injector.url, `app@${INDEX.digest}`)).toMatchObject({ code: 2, stdout: '' });
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageClients } from '../support/clients/image-clients.ts';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import type { CommandResult } from '../support/process.ts';
import { describeWithTools } from '../support/tools.ts';
import { type Engines, startEngines } from './engines.ts';

const IMAGE = sampleImage('docker-amd64');
/** Pulled from the healthy side, so that clients know a repository to mount from. */
const SOURCE = `team/app:${IMAGE.name}`;

describe('pushes to a registry with a defect', () => {
  let injector: DefectInjector;
  let manifix: Manifix;
  let engines: Engines;

  beforeAll(async () => {
    engines = startEngines();
    injector = await startDefectInjector();
    manifix = await startManifix({ upstream: injector.url });
  });
  afterAll(() => Promise.all([engines.stop(), manifix.stop(), injector.stop()]));

  /** Pulls the image from a server and pushes it to a repository there. */
  async function push(client: string, server: { host: string }, repository: string): Promise<CommandResult> {
    const kind = imageClients.find(({ name }) => name === client);
    if (kind === undefined) throw new Error(`no client ${client}`);
    const engine = await engines.of(kind);
    const pull = await engine.pull(`${server.host}/${SOURCE}`);
    expect(pull, pull.stderr).toMatchObject({ code: 0 });
    return engine.push(`${server.host}/${SOURCE}`, `${server.host}/${repository}:1`);
  }

  describe.each([
    ['skopeo', 'p-204', /received unexpected HTTP status: 204/],
    ['skopeo', 'p-200', /received unexpected HTTP status: 200/],
    ['podman', 'p-204', /received unexpected HTTP status: 204/],
    ['buildah', 'p-204', /received unexpected HTTP status: 204/],
    ['dockerd', 'p-range-unit', /bad range format|expected integer/],
    ['containerd', 'p-mount403', /403 Forbidden/],
    ['containerd', 'p-mount405', /405 Method Not Allowed/],
  ])('%s at %s', (client, defect, complaint) => {
    const tools = imageClients.find(({ name }) => name === client)?.tools ?? [];
    describeWithTools('on this machine', tools, () => {
      it('directly fails as documented, through manifix arrives whole', async () => {
        const direct = await push(client, injector, `${defect}/by-${client}`);
        expect(direct.code).not.toBe(0);
        expect(direct.stderr + direct.stdout).toMatch(complaint);
        const repository = `${defect}/through-${client}`;
        const result = await push(client, manifix, repository);
        expect(result, result.stderr).toMatchObject({ code: 0 });
        // podman and buildah compress layers anew, so that their digests are not those of what was pulled.
        const stored = injector.content.manifest(repository, '1')?.manifest.bytes ?? Buffer.from('{}');
        const { config, layers = [] } = JSON.parse(stored.toString());
        const missing = [config, ...layers].filter(
          ({ digest }) => injector.content.blob(repository, digest) === undefined,
        );
        expect([layers.length, missing]).toEqual([IMAGE.blobs.length - 1, []]);
      });
    });
  });
});

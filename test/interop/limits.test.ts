import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageClients } from '../support/clients/image-clients.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushSamples } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';
import { type Engines, startEngines } from './engines.ts';

/** Those that wait as long as `Retry-After` says; the others give up, each in its own words. */
const PATIENT: ReadonlySet<string> = new Set(['skopeo', 'podman', 'buildah']);

describeWithTools('limits in front of docker-registry', ['docker-registry'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;
  let engines: Engines;

  beforeAll(async () => {
    engines = startEngines();
    registry = await startDockerRegistry();
    await pushSamples(registry.url, 'team/samples');
    const upstream = 'hub';
    const slow = imageClients.map(({ name }) => ({
      ...{ name: `slow-${name}`, upstream, prefix: `slow/${name}` },
      // No image comes with three requests.
      limits: { requests: PATIENT.has(name) ? '1/s' : '1/h', burst: 3 },
    }));
    manifix = await startManifix({
      config: {
        upstreams: { hub: { url: registry.url } },
        endpoints: [
          { name: 'free', upstream },
          { name: 'small', upstream, prefix: 'small', limits: { upload: '100B' } },
          ...slow,
        ],
      },
    });
  });
  afterAll(() => Promise.all([engines.stop(), manifix.stop(), registry.stop()]));

  describe.each(imageClients)('for $name', (kind) => {
    describeWithTools('on this machine', kind.tools, () => {
      it('of requests are waited for, or told', async () => {
        const client = await engines.of(kind);
        const pull = await client.pull(`${manifix.host}/slow/${kind.name}/team/samples:oci-amd64`);
        if (PATIENT.has(kind.name)) expect(pull, pull.stderr).toMatchObject({ code: 0 });
        else {
          expect(pull.code).not.toBe(0);
          expect(pull.stderr).toMatch(/toomanyrequests/);
          await manifix.outputMatches(new RegExp(`"endpoint":"slow-${kind.name}".*"status":429`));
        }
      });

      // dockerd tries five times in the course of a minute.
      it.skipIf(kind.name === 'dockerd')('of uploads are told', async () => {
        const client = await engines.of(kind);
        const pulled = `${manifix.host}/team/samples:docker-amd64`;
        const pull = await client.pull(pulled);
        expect(pull, pull.stderr).toMatchObject({ code: 0 });
        const push = await client.push(pulled, `${manifix.host}/small/pushed:1`);
        expect(push.code).not.toBe(0);
        expect(push.stderr).toMatch(/the blob is larger than this endpoint takes|413/);
      });
    });
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageClients } from '../support/clients/image-clients.ts';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
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

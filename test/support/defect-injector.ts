import { contentTypeDefects } from './defects/content-type.ts';
import type { DefectTable } from './defects/defect.ts';
import { digestAndLengthDefects } from './defects/digest-and-length.ts';
import { encodingDefects } from './defects/encoding.ts';
import { errorDefects } from './defects/errors.ts';
import { listDefects } from './defects/lists.ts';
import { nameDefects } from './defects/names.ts';
import { negotiationDefects } from './defects/negotiation.ts';
import { pushAnswerDefects, pushRefusalDefects } from './defects/push.ts';
import { redirectDefects, storageServer } from './defects/redirects.ts';
import { sampleImages } from './images.ts';
import { listenOnLoopback } from './ports.ts';
import { type RegistryDouble, startRegistryDouble } from './registry-double.ts';

const defects: DefectTable = {
  ...contentTypeDefects,
  ...digestAndLengthDefects,
  ...encodingDefects,
  ...nameDefects,
  ...negotiationDefects,
  ...redirectDefects,
  ...pushAnswerDefects,
  ...pushRefusalDefects,
  ...errorDefects,
  ...listDefects,
};

/** Every defect that a repository name can begin with. */
export const defectNames: readonly string[] = Object.keys(defects);

/** A registry with every known defect, each under repository names that begin with its own. */
export interface DefectInjector extends RegistryDouble {
  /** The storage server on another origin to which the redirecting defects send clients. */
  readonly storage: string;
}

/**
 * Starts a registry double whose answers are spoilt by the first segment of the repository:
 * `/v2/ct-json/manifests/index` has the defect `ct-json`, `/v2/ct-json/team/app/...` too.
 * All names show the same content, at first every sample image under its own name as tag; only the defects of
 * pushing (`p-...`) have repositories of their own, empty at first, because clients push nothing that is there already.
 * A name that begins with no defect is answered correctly.
 */
export async function startDefectInjector(): Promise<DefectInjector> {
  const registry = await startRegistryDouble({
    contentKey: (repository) => (repository.startsWith('p-') ? repository : ''),
    intercept: async (request, respondNormally) => {
      const [, , name = ''] = request.path.split('/');
      const defect = defects[name];
      if (defect === undefined) return respondNormally();
      return defect({ request, content: registry.content, storage, respondNormally });
    },
  });
  for (const image of sampleImages()) registry.content.addImage('', image.name, image);
  const server = storageServer(registry.content);
  const storage = `http://127.0.0.1:${await listenOnLoopback(server)}`;
  const stop = async () => {
    await registry.stop();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  };
  return { ...registry, storage, stop, [Symbol.asyncDispose]: stop };
}

import type { RegistryRequest } from '../broken/message.ts';
import { type BrokenRegistry, startBrokenRegistry } from '../broken/server.ts';
import type { SelftestCase } from './case.ts';
import { type Content, contentOf, fill } from './content.ts';
import { answerWell } from './healthy.ts';

/** The broken registry of all cases; the name of a repository selects the defect. */
export interface CaseRegistry extends AsyncDisposable {
  readonly url: string;
  readonly contents: ReadonlyMap<string, Content>;
}

const PREFIX = 'selftest/';
/** Targets that belong to no repository, and the case that has to do with them. */
const COMMON: Readonly<Record<string, string>> = {
  '/v2/_catalog': `${PREFIX}catalog-n-too-large`,
  '/v2/': `${PREFIX}challenge-missing`,
  '/token': `${PREFIX}token-shapes`,
};

/** The repository with the defect of a case. Names of one component are Docker Hub's own. */
export function repositoryOf({ id, kind }: SelftestCase): string {
  return kind === 'dockerhub' ? id : `${PREFIX}${id}`;
}

/** Starts the registry and its twin of another origin, both with the same content. */
export async function startCaseRegistry(cases: readonly SelftestCase[]): Promise<CaseRegistry> {
  await using stage = new AsyncDisposableStack();
  const contents = new Map(cases.map((one) => [repositoryOf(one), contentOf(repositoryOf(one))]));
  const byName = new Map(cases.map((one) => [repositoryOf(one), one]));
  const asked = new Map<string, number>();
  let elsewhere = '';
  const start = async (): Promise<BrokenRegistry> => {
    const registry = await startBrokenRegistry((request, repository) => {
      const name = repositoryIn(request);
      asked.set(name, (asked.get(name) ?? 0) + 1);
      const there = repository(name);
      const normally = (changed = request) => answerWell(changed, there);
      const content = contents.get(name);
      const defect = byName.get(name)?.registry;
      if (content === undefined || defect === undefined) return normally();
      return defect({ request, repository: there, content, normally, elsewhere, asked: asked.get(name) ?? 0 });
    });
    stage.defer(() => registry.stop());
    for (const [name, content] of contents) fill(registry.repository(name), content);
    return registry;
  };
  elsewhere = (await start()).url;
  const { url } = await start();
  const everything = stage.move();
  return { url, contents, [Symbol.asyncDispose]: () => everything.disposeAsync() };
}

function repositoryIn({ path }: RegistryRequest): string {
  const written = /^\/v2\/(.+?)\/(?:manifests|blobs|tags|referrers)(?:\/|$)/.exec(path)?.[1];
  return COMMON[path] ?? written?.replace(/^library\//, '') ?? '';
}

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
/** The catalog belongs to no repository. */
const CATALOG = `${PREFIX}catalog-n-too-large`;

/** The repository with the defect of a case. Names of one component are Docker Hub's own. */
export function repositoryOf({ id, kind }: SelftestCase): string {
  return kind === 'dockerhub' ? id : `${PREFIX}${id}`;
}

/** Starts the registry and its twin of another origin, both with the same content. */
export async function startCaseRegistry(cases: readonly SelftestCase[]): Promise<CaseRegistry> {
  await using stage = new AsyncDisposableStack();
  const contents = new Map(cases.map((one) => [repositoryOf(one), contentOf(repositoryOf(one))]));
  const byName = new Map(cases.map((one) => [repositoryOf(one), one]));
  let elsewhere = '';
  const start = async (): Promise<BrokenRegistry> => {
    const registry = await startBrokenRegistry((request, repository) => {
      const [, written = ''] = /^\/v2\/(.+?)\/(?:manifests|blobs|tags|referrers)(?:\/|$)/.exec(request.path) ?? [];
      const name = request.path === '/v2/_catalog' ? CATALOG : written.replace(/^library\//, '');
      const there = repository(name);
      const normally = (changed = request) => answerWell(changed, there);
      const content = contents.get(name);
      const defect = byName.get(name)?.registry;
      if (content === undefined || defect === undefined) return normally();
      return defect({ request, repository: there, content, normally, elsewhere });
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

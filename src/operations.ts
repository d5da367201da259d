import type { CacheOperations } from './admin/cache-routes.ts';
import type { ToolOperations } from './admin/tool-routes.ts';
import type { Usage } from './admin/usage.ts';
import { RegistryError } from './domain/errors.ts';
import { cacheStateOf } from './explain/cache-state.ts';
import { drill } from './explain/drill.ts';
import { explain } from './explain/explain.ts';
import type { Offenders } from './explain/offenders.ts';
import { placeOf, WrongQuestion } from './explain/place.ts';
import type { StartApp } from './explain/throw-away.ts';
import type { Generation } from './generation.ts';
import type { Telemetry } from './pipeline/ports.ts';
import { auditedPurge } from './store/audited-purge.ts';
import { copyFacts, copyTag } from './store/copy-facts.ts';
import { openHoldings } from './store/holdings.ts';
import type { Store } from './store/open-store.ts';

/** What operators can ask of the manifix that runs on this configuration. */
export function toolOperations(
  generation: () => Generation,
  start: StartApp,
  offenders: Offenders,
  usage: Usage,
  placed: Store['placed'],
): ToolOperations {
  return {
    report: (top) => offenders.report(top),
    usage: (question) => usage.report(question),
    async drill(since) {
      await placed();
      const running = generation().config;
      const holdings = openHoldings(running.cache.dir);
      try {
        return drill(holdings, running, since, Date.now());
      } finally {
        holdings.close();
      }
    },
    async explain(question) {
      await placed();
      const { config: running, edge } = generation();
      const holdings = openHoldings(running.cache.dir);
      try {
        const told = await explain(
          {
            config: running,
            start,
            placeOf: (host, target) => placeOf(edge, host, target),
            cacheState: ({ upstream, repository, reference }) =>
              cacheStateOf(holdings, upstream, repository, reference),
            copyTag: (directory, { upstream, repository, reference }) =>
              copyTag(running.cache.dir, directory, { upstream, repository, tag: reference }),
            copyCache: (directory, manifests) => copyFacts(running.cache.dir, directory, manifests),
          },
          question,
        );
        return { told };
      } catch (error) {
        if (error instanceof WrongQuestion) return { wrong: error.message };
        if (error instanceof RegistryError) return { wrong: error.explanation ?? error.message };
        throw error;
      } finally {
        holdings.close();
      }
    },
  };
}

/** The maintenance of the store; what was answered from it a moment ago is forgotten together with it. */
export function cacheOperations(
  { maintenance }: Store,
  { audit }: Telemetry,
  forgetAnswers: () => void,
): CacheOperations {
  return {
    ...maintenance,
    async purge(selection, dryRun, client) {
      try {
        return await auditedPurge(maintenance, audit, { selection, dryRun, client });
      } finally {
        forgetAnswers();
      }
    },
  };
}

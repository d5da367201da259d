import type { ToolOperations } from './admin/tool-routes.ts';
import type { Config } from './config/config.ts';
import { RegistryError } from './domain/errors.ts';
import { cacheStateOf } from './explain/cache-state.ts';
import { drill } from './explain/drill.ts';
import { explain, WrongQuestion } from './explain/explain.ts';
import type { Offenders } from './explain/offenders.ts';
import type { StartApp } from './explain/throw-away.ts';
import { openHoldings } from './store/holdings.ts';

/** What operators can ask of the manifix that runs on this configuration. */
export function toolOperations(config: () => Config, start: StartApp, offenders: Offenders): ToolOperations {
  return {
    report: (top) => offenders.report(top),
    drill(since) {
      const running = config();
      const holdings = openHoldings(running.cache.dir);
      try {
        return drill(holdings, running, since, Date.now());
      } finally {
        holdings.close();
      }
    },
    async explain(question) {
      const running = config();
      const holdings = openHoldings(running.cache.dir);
      try {
        const told = await explain(
          {
            config: running,
            start,
            cacheState: (upstream, repository, reference) => cacheStateOf(holdings, upstream, repository, reference),
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

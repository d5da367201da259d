import type { CacheOperations } from './admin/cache-routes.ts';
import type { AdminOptions } from './admin/server.ts';
import type { ToolOperations } from './admin/tool-routes.ts';
import { RegistryError } from './domain/errors.ts';
import { cacheStateOf } from './explain/cache-state.ts';
import { drill } from './explain/drill.ts';
import { explain } from './explain/explain.ts';
import { placeOf, WrongQuestion } from './explain/place.ts';
import type { StartApp } from './explain/throw-away.ts';
import type { Generation } from './generation.ts';
import type { Observers } from './observers.ts';
import { auditedPurge } from './store/audited-purge.ts';
import { copyFacts, copyTag } from './store/copy-facts.ts';
import { openHoldings } from './store/holdings.ts';
import type { Store } from './store/open-store.ts';
import { tagOperations } from './tag-operations.ts';
import { tokenOperations } from './token-operations.ts';

interface Running {
  readonly generation: () => Generation;
  readonly start: StartApp;
  readonly store: Store;
  readonly observers: Observers;
  /** What was answered a moment ago may be untrue now. */
  readonly forgetAnswers: () => void;
}

/** What operators can ask of a running manifix, and change while it runs. */
export function operations(running: Running): Pick<AdminOptions, 'tools' | 'tokens' | 'tags' | 'cache'> {
  const { generation, store, observers, forgetAnswers } = running;
  const config = () => generation().config;
  const { audit } = observers.telemetry;
  return {
    tools: toolOperations(running),
    tokens: tokenOperations({
      records: store.tokens,
      config,
      audit,
      revoked: () => generation().edge.ready.forget(),
    }),
    tags: tagOperations({
      config,
      edge: () => generation().edge,
      history: store.tagHistory,
      pins: store.pins,
      now: Date.now,
      audit,
      changed: forgetAnswers,
    }),
    cache: cacheOperations(running),
  };
}

function toolOperations({ generation, start, store, observers: { offenders, usage } }: Running): ToolOperations {
  return {
    report: (top) => offenders.report(top),
    usage: (question) => usage.report(question),
    async drill(since) {
      await store.placed();
      const running = generation().config;
      const holdings = openHoldings(running.cache.dir);
      try {
        return drill(holdings, running, since, Date.now());
      } finally {
        holdings.close();
      }
    },
    async explain(question) {
      await store.placed();
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

function cacheOperations({ store: { maintenance }, observers, forgetAnswers }: Running): CacheOperations {
  const { audit } = observers.telemetry;
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

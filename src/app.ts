import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { createAdminServer } from './admin/server.ts';
import { createAuthentications } from './auth/authenticate.ts';
import { openTokenKeys } from './auth/token-keys.ts';
import type { Config } from './config/config.ts';
import { describeAccount } from './domain/credentials.ts';
import type { AppHooks } from './explain/throw-away.ts';
import { type GenerationParts, generationOf } from './generation.ts';
import { readCertificate } from './http/certificate-watch.ts';
import { createConnections } from './http/connections.ts';
import { createLimits } from './http/limits.ts';
import { createEdgeServer } from './http/server.ts';
import type { HostPort } from './lib/address.ts';
import { systemClock } from './lib/clock.ts';
import { getJson } from './lib/get-json.ts';
import { createLogger, logTo } from './lib/logger.ts';
import { addressOf, drain, followCertificate, listen } from './listening.ts';
import { createObservers } from './observers.ts';
import { operations } from './operations.ts';
import { createDispatch } from './pipeline/dispatch.ts';
import { createServices } from './services.ts';
import { createAuditLog } from './store/audit-log.ts';
import type { Warn } from './store/health.ts';
import { openStore, type Store } from './store/open-store.ts';
import { createDefects } from './upstream/defects.ts';
import type { UpstreamClient } from './upstream/upstream.ts';

/** A running manifix. */
export interface App {
  readonly scheme: 'http' | 'https';
  readonly address: HostPort;
  readonly adminAddress?: HostPort;
  /** Takes a new configuration into use for the next requests; resolves to the keys that need a restart. */
  reload(config: Config): Promise<readonly string[]>;
  /** Ends listening, lets running requests finish within the drain time, then closes everything. */
  stop(): Promise<void>;
}

/**
 * Opens the store, joins the layers and starts to listen. Rejects with a plain sentence when something is in the way.
 * `hooks` let whoever starts it watch what it does.
 */
export async function startApp(config: Config, hooks: AppHooks = {}): Promise<App> {
  const logger = createLogger(config.log);
  const certificate = config.tls === undefined ? undefined : await readCertificate(config.tls);
  const log = logTo(logger);
  const warn: Warn = (message, facts) => log('warn', message, facts);
  const auditLog = createAuditLog({ clock: systemClock, warn });
  const tokenKeys = await openTokenKeys(join(config.cache.dir, 'token-keys.json'), Date.now, log);
  const store = await openStore({ directory: config.cache.dir, maxSize: config.cache.maxSize, warn });
  const connections = createConnections();
  const limits = createLimits();
  const defects = createDefects(Date.now, (upstream, fix) =>
    logger.warn({ upstream, fix }, 'a registry shows a defect that manifix works around'),
  );
  const conditions = () => generation.upstreams.flatMap((upstream) => upstream.conditions());
  const observers = createObservers({
    logger,
    auditLog,
    store,
    usage: config.usage,
    metrics: {
      cache: store,
      connections: connections.figures,
      defects,
      upstreams: conditions,
      limits: { limited: limits.limited, uses: store.quotas.figures },
      audit: auditLog.figures,
    },
    hooks,
  });
  const { metrics, usage, telemetry } = observers;
  const { services, forgetRegistries } = createServices(store, defects, telemetry);
  bindNames(store, config);
  const authentications = createAuthentications({
    now: () => performance.now(),
    time: Date.now,
    tokens: store.tokens,
    getJson,
    log,
  });
  const parts: GenerationParts = {
    dispatch: createDispatch(services),
    challenges: services.challenges,
    figures: { upstreamAnswered: metrics.upstreamAnswered, spent: usage.spent },
    telemetry,
    lasting: { authentications, limits, tokenKeys },
    watch: hooks.watch,
  };
  let generation = generationOf(config, parts);
  let accepting = true;
  const forgetAnswers = () => {
    services.changes.allChanged();
    generation.edge.ready.forget();
  };
  const server = createEdgeServer(() => generation.edge, connections, certificate);
  const admin = createAdminServer({
    metrics,
    health: store.health,
    upstreams: conditions,
    accepting: () => accepting,
    ...operations({ generation: () => generation, start: startApp, store, observers, forgetAnswers }),
  });
  try {
    await auditLog.configure(config.audit);
    await hooks.rehearse?.(parts.dispatch, parts.challenges);
    if (config.admin !== undefined) await listen(admin, config.admin.listen);
    await listen(server, config.listen);
  } catch (error) {
    admin.close();
    await auditLog.close();
    await store.close();
    throw error;
  }
  store.setScrubRate(config.cache.scrubRate);
  const certificates = followCertificate(server, config.tls, certificate, log, () => {
    connections.forgetCertificates();
    generation.edge.ready.forget();
  });
  return {
    scheme: certificate === undefined ? 'http' : 'https',
    address: addressOf(server, config.listen),
    ...(config.admin === undefined ? {} : { adminAddress: addressOf(admin, config.admin.listen) }),
    async reload(next) {
      await auditLog.configure(next.audit);
      const replaced = generation;
      bindNames(store, next);
      forgetRegistries();
      generation = generationOf(next, parts);
      logger.level = next.log.level;
      usage.configure(next.usage);
      store.setMaxSize(next.cache.maxSize);
      store.setScrubRate(next.cache.scrubRate);
      // Running requests may ask on for the drain time; what runs on a connection then still ends by itself.
      const retire = () => Promise.all(replaced.upstreams.map((upstream) => upstream.retire()));
      setTimeout(retire, next.drainTimeout).unref();
      if (next.tls !== undefined) await certificates?.reload(next.tls);
      return keysThatNeedRestart(config, next);
    },
    async stop() {
      accepting = false;
      certificates?.stop();
      await drain(server, generation.config.drainTimeout);
      admin.close();
      admin.closeAllConnections();
      await closeAll(generation.upstreams);
      usage.flush();
      await store.close();
      await auditLog.close();
    },
  };
}

/**
 * Facts are kept under the names of upstreams; a name that means another registry now, or another account there, starts
 * anew: what one account was served must not be shown in the name of another. Quotas are kept under the names of endpoints.
 */
function bindNames(store: Store, config: Config): void {
  for (const [name, { url, credentials, tls }] of Object.entries(config.upstreams)) {
    // A renewed certificate has the subject of the one before.
    const shown = tls?.client && `certificate of ${new X509Certificate(tls.client.cert).subject}`;
    const parts = [url, describeAccount(credentials), shown];
    store.facts.bindUpstream(name, parts.filter((part) => part !== undefined).join(' '));
  }
  store.quotas.set(new Map(config.endpoints.map(({ name, limits }) => [name, limits.quota])));
}

async function closeAll(upstreams: readonly UpstreamClient[]): Promise<void> {
  await Promise.all(upstreams.map((upstream) => upstream.close()));
}

const NEEDS_RESTART = {
  listen: (config: Config) => config.listen,
  tls: (config: Config) => config.tls !== undefined,
  'admin.listen': (config: Config) => config.admin?.listen,
  'cache.dir': (config: Config) => config.cache.dir,
  'log.format': (config: Config) => config.log.format,
};

function keysThatNeedRestart(running: Config, next: Config): readonly string[] {
  return Object.entries(NEEDS_RESTART)
    .filter(([, read]) => JSON.stringify(read(running)) !== JSON.stringify(read(next)))
    .map(([key]) => key);
}

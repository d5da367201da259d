import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { type ContentRules, compileContentPolicy, NO_CONTENT_RULES } from '../../../src/domain/content-policy.ts';
import type { UpstreamCredentials } from '../../../src/domain/credentials.ts';
import { RegistryError } from '../../../src/domain/errors.ts';
import { FIXES } from '../../../src/fixes/index.ts';
import { compileFixes } from '../../../src/fixes/run.ts';
import { trustCheck } from '../../../src/http/client.ts';
import { createCursors } from '../../../src/http/cursors.ts';
import { createEndpointRoutes } from '../../../src/http/endpoint-routes.ts';
import type { Edge } from '../../../src/http/handle.ts';
import { createReadyAnswers } from '../../../src/http/ready-answers.ts';
import { createEdgeServer } from '../../../src/http/server.ts';
import { createTokenEndpoint } from '../../../src/http/token-endpoint.ts';
import { createTokenMemory } from '../../../src/http/token-memory.ts';
import { type Clock, systemClock } from '../../../src/lib/clock.ts';
import { singleFlight } from '../../../src/lib/single-flight.ts';
import { createVersions } from '../../../src/lib/versions.ts';
import { createChallenges } from '../../../src/pipeline/challenges.ts';
import { createDispatch } from '../../../src/pipeline/dispatch.ts';
import type { Endpoint } from '../../../src/pipeline/exchange.ts';
import { createHeadTrust } from '../../../src/pipeline/head-trust.ts';
import { createMemories } from '../../../src/pipeline/memories.ts';
import type { FinishedRequest } from '../../../src/pipeline/ports.ts';
import { createDescriptors } from '../../../src/store/descriptors.ts';
import type { Files } from '../../../src/store/files.ts';
import { createGrants } from '../../../src/store/grants.ts';
import { openStore, type Store } from '../../../src/store/open-store.ts';
import { createDefects } from '../../../src/upstream/defects.ts';
import { createRegistry } from '../../../src/upstream/registry.ts';
import type { UpstreamTimeouts } from '../../../src/upstream/wire.ts';
import { listenOnLoopback } from '../ports.ts';
import { plainEndpoint } from '../scene.ts';

export interface CacheOptions {
  readonly directory: string;
  readonly upstream: string;
  readonly maxSize?: number;
  readonly files?: Files;
  readonly clock?: Clock;
  readonly timeouts?: Partial<UpstreamTimeouts>;
  /** Whose right counts at the registry; that of each caller where not told otherwise. */
  readonly credentials?: UpstreamCredentials;
  /** How long a tag is believed, in milliseconds. */
  readonly tagTtl?: number;
  readonly content?: Partial<ContentRules>;
}

/** manifix in this process: its layers joined as the program joins them, with a file system and a clock of the test's own. */
export interface RunningCache {
  readonly url: string;
  readonly server: Server;
  readonly store: Store;
  readonly warnings: readonly string[];
  readonly finished: readonly FinishedRequest[];
  /** What manifix could not explain: answers 500 that are its own fault. */
  readonly defects: readonly string[];
  stop(): Promise<void>;
}

/** Starts to listen. Rejects like `openStore`. */
export async function startCache(options: CacheOptions): Promise<RunningCache> {
  const {
    directory,
    maxSize = 1e12,
    files,
    clock = systemClock,
    timeouts = {},
    tagTtl = 60_000,
    content = {},
  } = options;
  const warnings: string[] = [];
  const finished: FinishedRequest[] = [];
  const warn = (message: string) => void warnings.push(message);
  const store = await openStore({ directory, maxSize, warn, clock, ...(files && { files }) });
  const { credentials = { kind: 'passthrough' } } = options;
  const upstream = createRegistry({ name: 'hub', urls: [options.upstream], timeouts, credentials, now: clock.now });
  const { blobs, manifests, facts, tagHistory, pins } = store;
  const telemetry = { requestFinished: (request: FinishedRequest) => void finished.push(request), warn, audit() {} };
  const grants = createGrants(clock.now);
  const defects = createDefects(clock.now, () => undefined);
  const challenges = createChallenges(clock.now);
  const dispatch = createDispatch({
    ...{ blobs, manifests, facts, tagHistory, pins, grants, defects, telemetry },
    uses: store.quotas,
    descriptors: createDescriptors(),
    heads: createHeadTrust(clock.now),
    challenges,
    questions: { access: singleFlight(), signatures: singleFlight() },
    changes: createVersions(),
    ...createMemories(clock.now),
    now: clock.now,
    locationKey: randomBytes(32),
  });
  const fixes = compileFixes(FIXES, {});
  const freshness = { ttlOf: () => tagTtl, staleWhileRevalidate: 0, staleFor: 30 * 86_400_000, notFoundTtl: 0 };
  const policy = compileContentPolicy({ ...NO_CONTENT_RULES, ...content });
  const served: Endpoint = { ...plainEndpoint, upstream, fixes, freshness, prepared: new WeakMap() };
  const endpoint = policy === undefined ? served : { ...served, content: policy };
  const endpoints = createEndpointRoutes([{ endpoint, ns: [], isDefault: true }]);
  const tokenMemory = createTokenMemory({ now: clock.now });
  const edge: Edge = {
    dispatch,
    endpoints,
    tokens: createTokenEndpoint(endpoints, challenges, tokenMemory),
    tokenMemory,
    cursors: createCursors(),
    trusts: trustCheck([]),
    observe: telemetry.requestFinished,
    audit: telemetry.audit,
    ready: createReadyAnswers(clock.now),
  };
  const server = createEdgeServer(() => edge);
  const port = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    store,
    warnings,
    finished,
    get defects() {
      return finished.filter(isDefect).map(({ method, path, error }) => `${method} ${path}: ${error}`);
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await upstream.close();
      await store.close();
    },
  };
}

function isDefect({ status, error }: FinishedRequest): boolean {
  return status === 500 && !(error instanceof RegistryError);
}

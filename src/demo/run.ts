import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApp } from '../app.ts';
import { clientOf } from '../broken/client.ts';
import { CONFIG, LAYER, MANIFEST, UNTYPED_INDEX } from '../broken/sample.ts';
import { type BrokenRegistry, startBrokenRegistry } from '../broken/server.ts';
import { behaviourOf } from '../broken/software.ts';
import type { Config, TagSettings } from '../config/config.ts';
import { NO_CONTENT_RULES } from '../domain/content-policy.ts';
import { digestOf } from '../domain/digest.ts';
import { NO_LIMITS } from '../domain/limits.ts';
import { DOCKER_MANIFEST, OCI_INDEX } from '../domain/media-type.ts';
import { EVERY_REPOSITORY } from '../domain/repository-policy.ts';
import { FIXES } from '../fixes/index.ts';
import { defaultSetting } from '../fixes/run.ts';
import { formatHostPort } from '../lib/address.ts';
import { describeStartFailure } from '../lib/system-error.ts';
import { PROBLEMS, type Problem, type Registries } from './problems.ts';
import { problemTable, type Row, tableHead, verdict } from './table.ts';

const GITLAB_HOST = 'gitlab.localhost';
/** What a shell reports of a process that Ctrl-C ended. */
const INTERRUPTED = 130;

/**
 * Replays the problems that manifix was made for against broken registries and against a manifix in front of them, all on
 * loopback, and prints what became of each request. Resolves to the exit code: 0 when every promise was kept. Whatever
 * it starts and writes is gone when it ends.
 */
export async function runDemo(): Promise<number> {
  const interruption = new AbortController();
  const interrupt = () => interruption.abort(new Error('interrupted'));
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, interrupt);
  try {
    await using stage = new AsyncDisposableStack();
    return await perform(stage, interruption.signal);
  } catch (error) {
    if (interruption.signal.aborted) return INTERRUPTED;
    process.stderr.write(`manifix demo: ${describeStartFailure(error)}\n`);
    return 1;
  }
}

async function perform(stage: AsyncDisposableStack, signal: AbortSignal): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'manifix-demo-'));
  stage.defer(() => rm(directory, { recursive: true, force: true }));
  const dockerRegistry = await startBrokenRegistry(behaviourOf('docker-registry'));
  stage.defer(() => dockerRegistry.stop());
  const gitlab = await startBrokenRegistry(behaviourOf('gitlab'));
  stage.defer(() => gitlab.stop());
  fill(dockerRegistry, gitlab);
  const app = await startApp(configuration(directory, dockerRegistry.url, gitlab.url));
  stage.defer(() => app.stop());
  const url = `http://${formatHostPort(app.address)}`;
  const direct = { dockerRegistry: clientOf(dockerRegistry.url, signal), gitlab: clientOf(gitlab.url, signal) };
  const through = { dockerRegistry: clientOf(url, signal), gitlab: clientOf(url, signal, GITLAB_HOST) };
  process.stdout.write(tableHead(dockerRegistry.url, gitlab.url, url));
  const all: Row[] = [];
  for (const [index, problem] of PROBLEMS.entries()) {
    const rows = await compare(problem, direct, through);
    process.stdout.write(problemTable(index + 1, problem, rows));
    all.push(...rows);
  }
  process.stdout.write(verdict(PROBLEMS.length, all));
  return all.every(({ kept }) => kept) ? 0 : 1;
}

async function compare({ steps, replay }: Problem, direct: Registries, through: Registries): Promise<readonly Row[]> {
  const before = await replay(direct);
  const after = await replay(through);
  return steps.flatMap((step, index) => {
    const [old, now] = [before[index], after[index]];
    return old === undefined || now === undefined
      ? []
      : [{ step, direct: old, through: now, kept: step.kept(now, old) }];
  });
}

/** What the reports start from: an image that can be copied, and an index that lacks its mediaType. */
function fill(dockerRegistry: BrokenRegistry, gitlab: BrokenRegistry): void {
  const { blobs, manifests } = dockerRegistry.repository('registry');
  for (const bytes of [CONFIG, LAYER]) blobs.set(digestOf(bytes), bytes);
  manifests.set('1', { bytes: MANIFEST, mediaType: DOCKER_MANIFEST });
  for (const registry of [dockerRegistry, gitlab]) {
    registry.repository('mygroup/myproject').manifests.set('latest', { bytes: UNTYPED_INDEX, mediaType: OCI_INDEX });
  }
}

const TIMEOUTS = { connect: 5_000, headers: 20_000, stall: 60_000, revalidate: 5_000, change: 120_000 };
const TAGS: TagSettings = { tagTtl: 60_000, tags: [], staleWhileRevalidate: 0, staleFor: 0, notFoundTtl: 0 };

function configuration(directory: string, dockerRegistry: string, gitlab: string): Config {
  const fixes = Object.fromEntries(FIXES.map((fix) => [fix.id, defaultSetting(fix)]));
  const profile = { name: 'default', by: 'endpoint' } as const;
  const plain = {
    ns: [],
    repositories: { allow: [EVERY_REPOSITORY], deny: [] },
    rights: [],
    readOnly: false,
    content: NO_CONTENT_RULES,
    cache: TAGS,
    limits: NO_LIMITS,
    profile,
    fixes,
  };
  const asCaller = { credentials: { kind: 'passthrough' as const }, realms: [], redirects: [] };
  return {
    listen: { host: '127.0.0.1', port: 0 },
    tls: undefined,
    admin: undefined,
    audit: undefined,
    usage: { keep: 0, top: 1 },
    cache: { dir: join(directory, 'cache'), maxSize: 64 * 1024 * 1024, scrubRate: 0, ...TAGS },
    upstreams: {
      registry: { url: dockerRegistry, kind: 'generic', timeouts: TIMEOUTS, ...asCaller },
      gitlab: { url: gitlab, kind: 'gitlab', timeouts: TIMEOUTS, ...asCaller },
    },
    groups: {},
    endpoints: [
      { ...plain, name: 'registry', upstream: 'registry', isDefault: true },
      { ...plain, name: 'gitlab', upstream: 'gitlab', isDefault: false, host: GITLAB_HOST },
    ],
    log: { level: 'silent', format: 'json' },
    trustedProxies: [],
    warm: [],
    drainTimeout: 0,
  };
}

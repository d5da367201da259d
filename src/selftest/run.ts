import { clientOf, describeAnswer, type Send } from '../broken/client.ts';
import type { Config, EndpointConfig, UpstreamConfig } from '../config/config.ts';
import { NO_CONTENT_RULES } from '../domain/content-policy.ts';
import { NO_LIMITS } from '../domain/limits.ts';
import { EVERY_REPOSITORY } from '../domain/repository-policy.ts';
import { type StartApp, withThrowAway } from '../explain/throw-away.ts';
import type { FixMode } from '../fixes/fix.ts';
import { FIXES, RULES } from '../fixes/index.ts';
import { formatHostPort } from '../lib/address.ts';
import type { FinishedRequest } from '../pipeline/ports.ts';
import type { SelftestCase } from './case.ts';
import { CASES } from './cases.ts';
import { type CaseRegistry, repositoryOf, startCaseRegistry } from './registry.ts';

/** `pass` and `fail` are of fixes that are on and of rules; `observed` and `missed` of those that only watch. */
export type Outcome = 'pass' | 'fail' | 'observed' | 'missed' | 'off' | 'not tested';

export interface SelftestResult {
  readonly endpoint: string;
  readonly id: string;
  readonly outcome: Outcome;
  /** Why it was not tested, or what came instead. */
  readonly reason?: string;
}

/** Replays all cases with the fix settings of each endpoint, against a broken registry on loopback in place of its upstream. */
export async function runSelftest(start: StartApp, config: Config): Promise<readonly SelftestResult[]> {
  const results: SelftestResult[] = [];
  for (const endpoint of config.endpoints) results.push(...(await testEndpoint(start, config, endpoint)));
  return results;
}

async function testEndpoint(
  start: StartApp,
  config: Config,
  endpoint: EndpointConfig,
): Promise<readonly SelftestResult[]> {
  await using registry = await startCaseRegistry(CASES);
  const observed = new Set<string>();
  const requestFinished = ({ fixes }: FinishedRequest) => {
    for (const { id, mode } of fixes) if (mode === 'observe') observed.add(id);
  };
  const upstream = upstreamOf(config, endpoint);
  const alone = pointedAt(config, endpoint, registry.url);
  return await withThrowAway(start, alone, { requestFinished }, async (address) => {
    const send = clientOf(`http://${formatHostPort(address)}`, AbortSignal.timeout(120_000));
    const results: SelftestResult[] = [];
    for (const { id } of [...FIXES, ...RULES]) {
      const one = CASES.find((candidate) => candidate.id === id);
      const mode = endpoint.fixes[id]?.mode ?? 'on';
      const verdict = whySkipped(one, mode, upstream) ?? (one && (await replay(one, mode, send, registry, observed)));
      if (verdict !== undefined) results.push({ endpoint: endpoint.name, id, ...verdict });
    }
    return results;
  });
}

type Verdict = Pick<SelftestResult, 'outcome' | 'reason'>;

const ONLY_WITH = {
  caller: "only for upstreams where each caller's own right counts",
  own: 'only for upstreams with credentials of their own',
} as const;

/** Why a fix or rule is not tried here. */
function whySkipped(
  one: SelftestCase | undefined,
  mode: FixMode,
  { kind, credentials }: UpstreamConfig,
): Verdict | undefined {
  if (one === undefined) return { outcome: 'not tested', reason: 'it has no case' };
  if (one.kind !== undefined && one.kind !== kind) {
    return { outcome: 'not tested', reason: `only for upstreams of kind ${one.kind}` };
  }
  const authority = credentials.kind === 'passthrough' ? 'caller' : 'own';
  if (one.authority !== undefined && one.authority !== authority) {
    return { outcome: 'not tested', reason: ONLY_WITH[one.authority] };
  }
  if (mode === 'observe' && one.isSilent) return { outcome: 'not tested', reason: 'it shows only when it is on' };
  return mode === 'off' ? { outcome: 'off' } : undefined;
}

async function replay(
  one: SelftestCase,
  mode: FixMode,
  send: Send,
  { contents }: CaseRegistry,
  observed: ReadonlySet<string>,
): Promise<Verdict> {
  const repository = repositoryOf(one);
  const content = contents.get(repository);
  if (content === undefined) throw new Error(`${repository} has no content`);
  let last = 'no answer came';
  const watching: Send = async (...request) => {
    const answer = await send(...request);
    last = `${request[0]} was answered ${describeAnswer(answer)}`;
    return answer;
  };
  const works = await one.works({ send: watching, base: `/v2/${repository}`, content }).catch((error: Error) => {
    last = error.message;
    return false;
  });
  if (mode === 'observe') return observed.has(one.id) ? { outcome: 'observed' } : { outcome: 'missed', reason: last };
  return works ? { outcome: 'pass' } : { outcome: 'fail', reason: last };
}

/**
 * The configuration with this endpoint alone, which takes all requests and has the broken registry as its upstream. Of its
 * settings only those count that say how clients are answered, and not who they have to be.
 */
function pointedAt(config: Config, endpoint: EndpointConfig, url: string): Config {
  const { name, upstream, cache, profile, fixes } = endpoint;
  const repositories = { allow: [EVERY_REPOSITORY], deny: [] };
  const serves = {
    ns: [],
    isDefault: true,
    repositories,
    rights: [],
    content: NO_CONTENT_RULES,
    readOnly: false,
    limits: NO_LIMITS,
  };
  const alone: EndpointConfig = { name, upstream, cache, profile, fixes, ...serves };
  // No other way to a registry, or the real one would be asked.
  const { fallbacks: _, proxy: __, tls: ___, ...theirs } = upstreamOf(config, endpoint);
  return { ...config, upstreams: { [upstream]: { ...theirs, url } }, endpoints: [alone] };
}

function upstreamOf({ upstreams }: Config, { name, upstream }: EndpointConfig): UpstreamConfig {
  const found = upstreams[upstream];
  if (found === undefined) throw new Error(`endpoint ${name} names the unknown upstream ${upstream}`);
  return found;
}

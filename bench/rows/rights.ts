import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import { basicAuthorization } from '../../src/domain/credentials.ts';
import type { Principal } from '../../src/domain/principal.ts';
import { compileRights, type Rights, type RightsRule } from '../../src/domain/rights.ts';
import { FIXES } from '../../src/fixes/index.ts';
import { openEndpoints } from '../../src/generation.ts';
import { downloadBytes } from '../clients/download.ts';
import type { Context } from '../context.ts';
import { createImage } from '../data/image.ts';
import { pushImage, TAG } from '../data/push.ts';
import { REPOSITORY } from '../data/sizes.ts';
import { atMost } from '../report/checks.ts';
import type { Check, RowResult } from '../report/result.ts';
import { medianOf } from '../report/statistics.ts';
import { startDockerRegistry } from '../servers/docker-registry.ts';
import { startManifix } from '../servers/manifix.ts';
import { openPlace, type Place, type Server } from '../servers/server.ts';
import { priceOfGuesses } from './guesses.ts';
import { ACCEPT } from './hit-servers.ts';
import { lostConnections, MANIFEST_COLUMNS, measureHits } from './hits.ts';

const SAME = 'the same request again';
const DISTINCT = 'each request another';
const WITH = 'manifix, with rights';
/** The password of this hash is "secret". */
const HTPASSWD = 'bob:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n';
const LOGGED_IN = [...ACCEPT, ['Authorization', basicAuthorization('bob', 'secret')] as const];

/** P11: what logins and rights cost on a manifest from the cache, and what many rules cost. */
export async function measureRights(context: Context): Promise<Omit<RowResult, 'id' | 'measure'>> {
  const place = await openPlace(context.stage);
  const origin = await startDockerRegistry(place);
  const image = createImage();
  const { manifest } = image;
  await pushImage(origin.url, image);
  const path = `/v2/${REPOSITORY}/manifests/${TAG}`;
  const htpasswd = join(place.directory, 'users.htpasswd');
  await writeFile(htpasswd, HTPASSWD);
  const endpoint = { auth: { htpasswd }, rights: [{ who: ['bob'], allow: ['pull'] }] };
  const servers: Server[] = [];
  for (const [name, endpoints] of [
    ['manifix', []],
    [WITH, [endpoint]],
  ] as const) {
    const env = { MANIFIX_UPSTREAMS_DEFAULT_CREDENTIALS: 'none', MANIFIX_ENDPOINTS: JSON.stringify(endpoints) };
    const { url, pid } = await startManifix(await openPlace(context.stage), origin.url, { env });
    const { bytes } = await downloadBytes(url + path, LOGGED_IN);
    if (!bytes.equals(manifest.bytes)) throw new Error(`${name} gave wrong bytes`);
    servers.push({ name, url, pid });
  }
  const load = { path, headers: LOGGED_IN, connections: 32 };
  const lines = await measureHits(context, servers, [
    { ...load, condition: SAME },
    { ...load, condition: DISTINCT, distinct: true },
  ]);
  const price = (condition: string) => {
    const share =
      medianOf(lines, condition, WITH, 'cpuPerRequest') / medianOf(lines, condition, 'manifix', 'cpuPerRequest');
    const subject = `more CPU per request for logins and rights, ${condition}`;
    return atMost({ subject, actual: (share - 1) * 100, bound: 10, unit: ' %', digits: 1 });
  };
  return {
    columns: MANIFEST_COLUMNS.filter(({ key }) => key !== 'share'),
    lines,
    checks: [
      price(SAME),
      price(DISTINCT),
      await priceOfGuesses(context, origin.url, image),
      await loadTime(place),
      ...decisionTimes(),
    ],
    notes: lostConnections(lines),
  };
}

/** Reads a configuration and makes all that serves of it. */
async function loadTime(place: Place): Promise<Check> {
  const rules = Array.from({ length: 10 }, (_, at) => ({
    who: [`user${at}`],
    allow: ['pull'],
    repositories: [`app${at}/**`],
  }));
  const endpoints = Array.from({ length: 1_000 }, (_, at) => ({
    ...{ name: `team${at}`, prefix: `team${at}`, upstream: 'hub' },
    ...{ auth: { tokens: true }, rights: rules },
  }));
  const file = join(place.directory, 'many.yaml');
  const upstreams = { hub: { url: 'http://127.0.0.1:1', credentials: 'none' } };
  await writeFile(file, JSON.stringify({ upstreams, endpoints }));
  const started = performance.now();
  const loaded = loadConfig({ flags: { config: file }, env: {}, fixes: FIXES });
  if ('mistakes' in loaded) throw new Error(loaded.mistakes.join('\n'));
  for (const { rights } of loaded.config.endpoints) compileRights(rights, loaded.config.groups);
  const { upstreams: opened } = openEndpoints(loaded.config);
  const seconds = (performance.now() - started) / 1e3;
  await Promise.all(opened.map((upstream) => upstream.close()));
  return atMost({ subject: 'to load 1,000 endpoints with 10,000 rules', actual: seconds, bound: 1, unit: ' s' });
}

const ROUNDS = 200_000;

/** One decision with many rules, against one with few; the rule that decides is the last. */
function decisionTimes(): readonly Check[] {
  const [few = 0, many = 0] = [10, 10_000].map((count) => microsecondsOf(compileRights(rulesOf(count), {}), count));
  return [
    atMost({ subject: 'us for a decision with 10,000 rules', actual: many, bound: 10, unit: '' }),
    atMost({ subject: 'the time of a decision with ten', actual: many / few, bound: 2, unit: 'x' }),
  ];
}

function rulesOf(count: number): readonly RightsRule[] {
  return Array.from({ length: count }, (_, at) => ({
    who: [{ kind: 'authenticated' }],
    effect: 'allow',
    actions: ['pull'],
    repositories: [`app${at}/**` as RightsRule['repositories'][number]],
  }));
}

function microsecondsOf({ decide }: Rights, count: number): number {
  const bob: Principal = { method: 'htpasswd', user: 'bob', groups: [], claims: {} };
  const name = `app${count - 1}/a/b`;
  let allowed = 0;
  const measure = () => {
    const started = performance.now();
    for (let round = 0; round < ROUNDS; round += 1) allowed += decide(bob, 'pull', name).allowed ? 1 : 0;
    return ((performance.now() - started) / ROUNDS) * 1e3;
  };
  measure();
  const time = measure();
  if (allowed !== 2 * ROUNDS) throw new Error('a rule did not decide');
  return time;
}

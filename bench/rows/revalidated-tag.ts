import { createQuestioner } from '../clients/latency.ts';
import type { Context } from '../context.ts';
import { createImage } from '../data/image.ts';
import { pushImage, TAG } from '../data/push.ts';
import { REPOSITORY } from '../data/sizes.ts';
import { atMost } from '../report/checks.ts';
import type { RowResult } from '../report/result.ts';
import { createRecorder, median, medianOf } from '../report/statistics.ts';
import { startDockerRegistry } from '../servers/docker-registry.ts';
import { startManifix } from '../servers/manifix.ts';
import { openPlace } from '../servers/server.ts';
import { ACCEPT } from './hit-servers.ts';

const QUESTIONS = 500;
const WARM_UP = 200;
const CONDITION = 'by tag, one after the other';
const PATH = `/v2/${REPOSITORY}/manifests/${TAG}`;

/** P9: a cached manifest by a tag that is asked for upstream every time. */
export async function measureRevalidatedTag(context: Context): Promise<Omit<RowResult, 'id' | 'measure'>> {
  const place = await openPlace(context.stage);
  const origin = await startDockerRegistry(place);
  await pushImage(origin.url, createImage());
  const caches = [
    await startManifix(place, origin.url, { env: { MANIFIX_CACHE_TAG_TTL: '0s' } }),
    await startDockerRegistry(place, origin.url),
  ];
  const head = createQuestioner('HEAD', origin.url + PATH, ACCEPT);
  const questioners = caches.map(({ name, url }) => ({ name, ...createQuestioner('GET', url + PATH, ACCEPT) }));
  const recorder = createRecorder();
  // Taking turns, so that a busy moment of the machine hits all alike.
  const askAll = async (times: number) => {
    const upstream: number[] = [];
    const through = questioners.map((): number[] => []);
    for (let time = 0; time < times; time += 1) {
      upstream.push(await head.ask());
      for (const [index, { ask }] of questioners.entries()) through[index]?.push(await ask());
    }
    return { upstream: median(upstream), through: through.map(median) };
  };
  await askAll(WARM_UP);
  for (let run = 1; run <= context.runs; run += 1) {
    context.progress(`run ${run} of ${context.runs}`);
    const { upstream, through } = await askAll(QUESTIONS);
    recorder.record(CONDITION, 'direct', { latency: upstream });
    for (const [index, { name }] of questioners.entries()) {
      const latency = through[index] ?? Number.NaN;
      recorder.record(CONDITION, name, { latency, added: latency - upstream });
    }
  }
  for (const { close } of [head, ...questioners]) close();
  const lines = recorder.lines();
  const added = medianOf(lines, CONDITION, 'manifix', 'added');
  return {
    columns: [
      { key: 'latency', title: 'latency ms', digits: 2 },
      { key: 'added', title: 'beyond upstream HEAD ms', digits: 2 },
    ],
    lines,
    checks: [atMost({ subject: 'beyond the HEAD of the upstream', actual: added, bound: 2, unit: ' ms' })],
    notes: [
      `Each figure is the median of ${QUESTIONS} GET requests; \`direct\` is a HEAD sent to the upstream itself. nginx has no such mode.`,
    ],
  };
}

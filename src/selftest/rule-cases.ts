import type { Answer } from '../broken/client.ts';
import { CONFIG, LAYER } from '../broken/sample.ts';
import { digestOf } from '../domain/digest.ts';
import { DOCKER_MANIFEST, MANIFEST_TYPES, OCI_INDEX, OCI_MANIFEST } from '../domain/media-type.ts';
import { NOT_ACCEPTABLE, onManifest, type SelftestCase, type Stage, unless } from './case.ts';

const get = ({ send, base }: Stage, tag: string) =>
  send('GET', `${base}/manifests/${tag}`, { headers: { Accept: MANIFEST_TYPES.join(', ') } });

const isExplained = (answer: Answer, word: string) => answer.status === 502 && answer.body.includes(word);

/** What holds whatever the configuration says. */
export const RULE_CASES: readonly SelftestCase[] = [
  {
    id: 'accept-widening-breaks-clients',
    registry: unless(({ request }) => !request.acceptLines.join().includes(OCI_INDEX), NOT_ACCEPTABLE),
    works: async ({ send, base }) => {
      const headers = { Accept: `${OCI_MANIFEST}, ${DOCKER_MANIFEST}` };
      return (await send('GET', `${base}/manifests/image`, { headers })).status === 200;
    },
  },
  {
    id: 'accept-on-non-manifest',
    registry: unless(({ request }) => !request.acceptLines.join().includes('manifest'), NOT_ACCEPTABLE),
    works: async ({ send, base }) => (await send('GET', `${base}/blobs/${digestOf(LAYER)}`)).status === 200,
  },
  {
    id: 'manifest-too-big-or-odd-size',
    works: async (stage) => (await get(stage, 'big')).body.equals(stage.content.big),
  },
  { id: 'type-confusion', works: async (stage) => isExplained(await get(stage, 'ambiguous'), 'at once') },
  { id: 'inexact-keys', works: async (stage) => (await get(stage, 'inexact')).body.equals(stage.content.inexact) },
  {
    id: 'digest-enforcement',
    registry: onManifest((answer) => ({ ...answer, body: CONFIG })),
    works: async (stage) => isExplained(await get(stage, digestOf(stage.content.index)), 'digest'),
  },
  {
    id: 'path-traversal',
    registry: ({ request, normally }) => (request.path.includes('..') ? { status: 200 } : normally()),
    works: async ({ send, base }) => (await send('GET', `${base}/../manifests/index`)).status >= 400,
  },
];

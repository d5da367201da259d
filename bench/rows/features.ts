import { FIXES } from '../../src/fixes/index.ts';
import { downloadBytes } from '../clients/download.ts';
import type { Context } from '../context.ts';
import { createImage } from '../data/image.ts';
import { pushImage, TAG } from '../data/push.ts';
import { REPOSITORY } from '../data/sizes.ts';
import { atMost } from '../report/checks.ts';
import type { Check, Line, RowResult, ServerName } from '../report/result.ts';
import { medianOf } from '../report/statistics.ts';
import { startDockerRegistry } from '../servers/docker-registry.ts';
import { startManifix } from '../servers/manifix.ts';
import { openPlace, type Server } from '../servers/server.ts';
import { ACCEPT } from './hit-servers.ts';
import { lostConnections, MANIFEST_COLUMNS, measureHits } from './hits.ts';

/** manifix without a feature that the default has; what the feature costs is the difference to the default. */
interface Without {
  readonly server: ServerName;
  readonly env: Readonly<Record<string, string>>;
  /** How much more the default may take, in per cent. */
  readonly bound: number;
  readonly feature: string;
}

/** One line for each feature whose price is to be known. */
const WITHOUT: readonly Without[] = [
  {
    server: 'manifix, fixes off',
    env: Object.fromEntries(FIXES.map(({ id }) => [`MANIFIX_FIXES_${id.replaceAll('-', '_').toUpperCase()}`, 'off'])),
    bound: 5,
    feature: 'the fixes',
  },
];

const SAME = 'the same request again';
const DISTINCT = 'each request another';

/** P10: what features cost on a manifest from the cache. */
export async function measureFeatures(context: Context): Promise<Omit<RowResult, 'id' | 'measure'>> {
  const place = await openPlace(context.stage);
  const origin = await startDockerRegistry(place);
  const { manifest } = createImage();
  await pushImage(origin.url, createImage());
  const path = `/v2/${REPOSITORY}/manifests/${TAG}`;
  const servers: Server[] = [];
  for (const { server, env } of [{ server: 'manifix' as const, env: {} }, ...WITHOUT]) {
    const home = await openPlace(context.stage);
    const { url, pid } = await startManifix(home, origin.url, { env });
    const { bytes } = await downloadBytes(url + path, ACCEPT);
    if (!bytes.equals(manifest.bytes)) throw new Error(`${server} gave wrong bytes`);
    servers.push({ name: server, url, pid });
  }
  const load = { path, headers: ACCEPT, connections: 32 };
  const lines = await measureHits(context, servers, [
    { ...load, condition: SAME },
    { ...load, condition: DISTINCT, distinct: true },
  ]);
  return {
    columns: MANIFEST_COLUMNS.filter(({ key }) => key !== 'share'),
    lines,
    checks: [SAME, DISTINCT].flatMap((condition) => WITHOUT.flatMap((without) => price(lines, condition, without))),
    notes: [
      'An answer that is given again to the very same request passes no fix a second time; where each request differs in a header field, each passes all of them.',
      ...lostConnections(lines),
    ],
  };
}

function price(lines: readonly Line[], condition: string, { server, bound, feature }: Without): readonly Check[] {
  const more = (column: string, sign: number) => {
    const share = medianOf(lines, condition, 'manifix', column) / medianOf(lines, condition, server, column);
    return (share ** sign - 1) * 100;
  };
  const check = (subject: string, actual: number) =>
    atMost({ subject: `${subject} for ${feature}, ${condition}`, actual, bound, unit: ' %', digits: 1 });
  return [check('more CPU per request', more('cpuPerRequest', 1)), check('fewer requests', more('requests', -1))];
}

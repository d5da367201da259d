import type { CacheState } from '../explain/cache-state.ts';
import type { Explanation } from '../explain/explain.ts';
import type { SeenAnswer } from '../explain/seen.ts';
import type { ImageHoldings } from '../store/completeness.ts';
import { table } from './table.ts';

/** What manifix does to a pull and why, for people. */
export function formatExplanation(explanation: Explanation, now: Date): string {
  const { reference, endpoint, upstream, as, registry, manifix, fixes, digests, clients, cache, fromCache } =
    explanation;
  const through = endpoint === '' ? 'none' : `${endpoint}${upstream === undefined ? '' : `, upstream ${upstream}`}`;
  const wantsUser = manifix.some(({ status }) => status === 401);
  const sections = [
    [
      reference,
      ...indented([
        ['endpoint', through],
        ['requests of', as],
        ...(wantsUser ? [['credentials', 'MANIFIX_USER=name:password asks as that user']] : []),
      ]),
    ],
    ['the registry answers', ...indented(registry.flatMap(answerRows))],
    [fromCache ? 'manifix answers from its cache' : 'manifix answers', ...indented(manifix.flatMap(answerRows))],
    ['fixes', ...indented(fixes.length === 0 ? [['none']] : fixRows(fixes))],
    ...(cache === undefined && digests.canonical === undefined ? [] : [['digests', ...indented(digestRows(digests))]]),
    [
      'who would notice',
      ...indented([['', 'directly', 'through manifix'], ...clients.map(verdictRow), ...noticed(digests)]),
    ],
    ...(cache === undefined ? [] : [['cache', ...indented(cacheRows(cache, now))]]),
  ];
  return sections.map((lines) => lines.join('\n')).join('\n\n');
}

/** Both digests of a reference, a line each. */
export function formatResolution(resolution: { readonly canonical: string; readonly derived: string | null }): string {
  const { canonical, derived } = resolution;
  return table(digestRows({ canonical, ...(derived && { derived }) })).join('\n');
}

function answerRows(answer: SeenAnswer) {
  const { method, target, status, contentType, contentLength, digest, sha256, cacheStatus, policy } = answer;
  if (answer.isStandIn) return [[method, target, 'no answer'], ...errorRows(answer)];
  const differs = status === 200 && digest !== undefined && sha256 !== undefined && digest !== sha256;
  const hash = differs ? [[`  the body has the digest ${sha256}`]] : [];
  const size = contentLength === undefined ? 'no length' : `${contentLength} bytes`;
  const line = [method, target, String(status), contentType ?? 'no type', size, digest ?? 'no digest'];
  const stale = cacheStatus?.includes('stale')
    ? [['  stale: the registry did not answer, and this is what was known last']]
    : [];
  const ruled = policy === undefined ? [] : [[`  ${policy}`]];
  return [line, ...errorRows(answer), ...hash, ...stale, ...ruled];
}

/** What an error says, and its explanation where that says more. */
function errorRows({ error }: SeenAnswer): readonly (readonly string[])[] {
  if (error === undefined) return [];
  const { code, message = '', explanation } = error;
  const saysMore = explanation !== undefined && (message === '' || !explanation.startsWith(message));
  return [[`  ${code}: ${message}`], ...(saysMore ? [[`  ${explanation}`]] : [])];
}

/** What a fix that is not on would have done, it did not do. */
function fixRows(fixes: Explanation['fixes']): readonly (readonly string[])[] {
  const rows = fixes.map(({ id, mode, note }) => [id, mode === 'on' ? mode : `${mode}, would fire`, note]);
  return [...rows, ['manifix help <fix> explains each']];
}

function digestRows({ canonical, derived }: Explanation['digests']): readonly (readonly string[])[] {
  if (canonical === undefined) return [['unknown']];
  return [
    ['canonical', canonical],
    ['derived', derived ?? 'none: the bytes are not changed'],
  ];
}

/** A derived manifest shows where digests leave the reach of manifix. */
function noticed({ derived }: Explanation['digests']): readonly (readonly string[])[] {
  if (derived === undefined) return [];
  return [
    ['Whoever pins the derived digest and pulls it from elsewhere gets 404; manifix resolve tells the canonical one.'],
    ['Whoever verifies a signature of the canonical digest by tag: it does not cover the derived one.'],
  ];
}

function verdictRow({ client, directly, throughManifix }: Explanation['clients'][number]) {
  return [client, directly ?? 'works', throughManifix ?? 'works'];
}

function cacheRows({ tags, access, content, derived }: CacheState, now: Date): readonly (readonly string[])[] {
  const ages = tags.map(({ view, digest, confirmed }) => [
    `tag, Accept of ${view === 'all' ? 'all types' : view}`,
    `${digest}, confirmed ${ageOf(confirmed, now)} ago`,
  ]);
  if (content === null) return [...ages, ['manifest', 'not in the cache']];
  const readers =
    access === 'open'
      ? 'open to all'
      : access === 'private'
        ? 'for those whom the registry allows'
        : 'nobody was seen to read it here';
  return [
    ...ages,
    ['manifest', `${content.digest}, ${readers}`],
    ...derived.map((digest) => ['derived', digest]),
    ...content.images.map((image) => [image.platform ?? 'image', imageState(image)]),
  ];
}

/** `complete (4 parts)`, `layer 3 is not in the cache`, `never pulled`. */
function imageState({ state, parts, missing }: ImageHoldings): string {
  if (state === 'complete') return `complete (${parts} parts)`;
  if (state === 'never-pulled') return 'never pulled';
  return missing.map(({ part, why }) => `${part} is ${why}`).join(', ');
}

function ageOf(time: string, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(time)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)}h` : `${Math.round(seconds / 86_400)}d`;
}

function indented(rows: readonly (readonly string[])[]): readonly string[] {
  return table(rows).map((line) => `  ${line}`.trimEnd());
}

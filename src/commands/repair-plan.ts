import { attachmentTags } from '../domain/attachments.ts';
import { addMediaType } from '../domain/derive.ts';
import { type Digest, digestOf } from '../domain/digest.ts';
import { inspectManifest } from '../domain/manifest.ts';
import type { MediaType } from '../domain/media-type.ts';
import type { Registry, StoredManifest } from './repair-registry.ts';

/** What is to be pushed in place of what is there. */
export interface Repair {
  readonly what: string;
  readonly before: StoredManifest;
  readonly after: { readonly digest: Digest; readonly bytes: Uint8Array; readonly mediaType: MediaType };
  /** The bytes that differ, with what stands around them. */
  readonly diff: readonly string[];
}

/** Finds out what would heal the tag. Rejects when signatures or referrers are in the way, or nobody can tell. */
export async function planRepair(
  registry: Registry,
  tag: string,
  force: boolean,
): Promise<Repair | { readonly nothing: string }> {
  const before = await registry.get(tag);
  const { shape, mediaType, type } = inspectManifest(before.bytes);
  if (shape === 'not-json' || shape === 'unknown')
    throw new Error(`GET of ${tag} was answered 200 with ${before.type ?? 'something untyped'} that is no manifest`);
  if ((shape === 'index' || shape === 'image') && mediaType === undefined) {
    const added = addMediaType(before.bytes, shape);
    if ('declined' in added) return { nothing: `it cannot be changed safely (${added.declined})` };
    if (!force) await refuseWhenSigned(registry, before.digest);
    const after = { ...added, digest: digestOf(added.bytes) };
    return { what: `adds mediaType ${added.mediaType}`, before, after, diff: diffOf(before.bytes, added.bytes) };
  }
  if (type !== undefined && before.type !== type) {
    const what = `stores it as ${type} instead of ${before.type ?? 'nothing'}`;
    return {
      what,
      before,
      after: { digest: before.digest, bytes: before.bytes, mediaType: type },
      diff: ['no byte changes'],
    };
  }
  return { nothing: type === undefined ? 'nobody can tell what it is' : 'it says what it is' };
}

async function refuseWhenSigned(registry: Registry, digest: Digest): Promise<void> {
  const found: string[] = [];
  for (const tag of attachmentTags(digest)) if (await registry.has(tag)) found.push(tag);
  if (await registry.hasReferrers(digest)) found.push('referrers');
  if (found.length === 0) return;
  throw new Error(
    `signatures or referrers of ${digest} exist (${found.join(', ')}) and would not cover the repaired manifest; --force repairs it all the same`,
  );
}

const AROUND = 12;

/** One insertion: its place, and both texts from shortly before it to shortly behind it. */
function diffOf(before: Uint8Array, after: Uint8Array): readonly string[] {
  let start = 0;
  while (start < before.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const cut = (bytes: Uint8Array) =>
    JSON.stringify(Buffer.from(bytes.subarray(Math.max(0, start - AROUND), bytes.length - end + AROUND)).toString());
  return [`at byte ${start}, ${after.length - before.length} bytes more`, `- ${cut(before)}`, `+ ${cut(after)}`];
}

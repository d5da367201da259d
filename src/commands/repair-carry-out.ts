import { isManifestType } from '../domain/media-type.ts';
import type { Repair } from './repair-plan.ts';
import type { Registry } from './repair-registry.ts';

/**
 * Pushes what was planned and reads everything back. The tag must not have moved since it was looked at, and the old digest
 * has to be there. When the registry does not show what was pushed, the tag gets its old manifest back; what somebody else
 * pushed meanwhile stays, because registries know no conditional push that would exclude it.
 */
export async function carryOutRepair(registry: Registry, tag: string, repair: Repair): Promise<void> {
  const { before, after } = repair;
  const [now, old] = [await registry.get(tag), await registry.get(before.digest)];
  if (now.digest !== before.digest) throw new Error('the tag moved meanwhile; nothing was written');
  if (old.digest !== before.digest)
    throw new Error(`${before.digest} is answered with ${old.digest}; nothing was written`);
  let isTaken = false;
  try {
    await registry.put(tag, after.bytes, after.mediaType);
    isTaken = true;
    await readBack(registry, tag, repair);
  } catch (error) {
    const outcome = await putBack(registry, tag, repair, isTaken);
    throw new Error(`${(error as Error).message}; ${outcome}`, { cause: error });
  }
}

async function readBack(registry: Registry, tag: string, { before, after }: Repair): Promise<void> {
  const [byTag, old] = [await registry.get(tag), await registry.get(before.digest)];
  if (byTag.digest !== after.digest)
    throw new Error(`the registry took it, but the tag has the digest ${byTag.digest}`);
  if (byTag.type !== after.mediaType) {
    const type = byTag.type ?? 'no type';
    throw new Error(`the registry took it, but gives it as ${type}: a proxy in front of it may change Content-Type`);
  }
  if (old.digest !== before.digest) throw new Error(`the old digest ${before.digest} is not reachable any more`);
}

/** Gives the tag its old manifest again, where it has what was pushed or nobody can tell, and tells the outcome. */
async function putBack(registry: Registry, tag: string, repair: Repair, isTaken: boolean): Promise<string> {
  const { before, after } = repair;
  if (before.digest === after.digest) return 'the tag has the same bytes as before';
  // Registries refuse a type that belongs to no manifest, which is what stood in front of them.
  const type = before.type !== undefined && isManifestType(before.type) ? before.type : after.mediaType;
  try {
    const found = (await registry.get(tag).catch(() => undefined))?.digest;
    if (found === before.digest) return 'the tag still has its old manifest';
    if (found !== undefined && found !== after.digest && (!isTaken || (await registry.has(after.digest))))
      return `the tag got ${found} from somebody else meanwhile, and keeps it`;
    await registry.put(tag, before.bytes, type);
    const { digest } = await registry.get(tag);
    if (digest === before.digest) return 'the old manifest was put back under the tag';
    return `the old manifest was put back, but the tag has the digest ${digest}`;
  } catch (error) {
    const { message } = error as Error;
    return `the old manifest could not be put back (${message}): see what the tag has, and push ${before.digest} again`;
  }
}

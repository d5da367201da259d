import type { Config } from '../config/config.ts';
import { CREDENTIALS_VARIABLE } from '../config/environment.ts';
import type { ConfigResult } from '../config/load.ts';
import type { RepairRequest } from '../config/repair-request.ts';
import { parseImageReference } from '../domain/image-reference.ts';
import { upstreamName } from '../domain/repository-names.ts';
import { openUpstream } from '../generation.ts';
import type { CommandOutcome } from './cache.ts';
import { planRepair, type Repair } from './repair-plan.ts';
import { createRegistry, type Registry } from './repair-registry.ts';

/**
 * Heals the cause in the registry: pushes a manifest that lacks its mediaType, or is stored under a wrong type, again under
 * the same tag. Nothing is written before every check has passed. Ends with 0, with 1 when it was refused or failed, or
 * with 2 when the reference makes no sense.
 */
export async function runRepairCommand(
  { reference: text, dryRun, force }: RepairRequest,
  load: () => Promise<ConfigResult>,
): Promise<CommandOutcome> {
  const loaded = await load();
  if ('mistakes' in loaded) return { exitCode: 2, complaint: loaded.mistakes.join('\n') };
  const place = placeOf(loaded.config, text);
  if (place === undefined)
    return { exitCode: 2, complaint: `manifix: "${text}" is no image with a tag of any endpoint` };
  const configured = loaded.config.upstreams[place.upstream];
  if (configured === undefined) throw new Error(`the upstream ${place.upstream} is not configured`);
  const upstream = openUpstream(place.upstream, configured);
  try {
    const registry = createRegistry(upstream, place.repository, process.env[CREDENTIALS_VARIABLE]);
    const plan = await planRepair(registry, place.tag, force);
    if ('nothing' in plan) return { exitCode: 0, text: `${text}: nothing to repair: ${plan.nothing}` };
    const shown = describe(text, plan);
    if (dryRun) return { exitCode: 0, text: `${shown}\nnothing was written` };
    await carryOut(registry, place.tag, plan);
    return { exitCode: 0, text: `${shown}\npushed; the tag and both digests were read back` };
  } catch (error) {
    return { exitCode: 1, complaint: `manifix: ${text}: ${(error as Error).message}` };
  } finally {
    await upstream.close();
  }
}

function placeOf({ endpoints, upstreams }: Config, text: string) {
  const image = parseImageReference(text);
  if (image === undefined || image.reference.kind !== 'tag') return undefined;
  const endpoint =
    image.host === undefined
      ? endpoints.find(({ isDefault, prefix }) => isDefault || prefix !== undefined)
      : endpoints.find(({ host }) => host === image.host);
  if (endpoint === undefined) return undefined;
  const { upstream, prefix } = endpoint;
  const library = upstreams[upstream]?.kind === 'dockerhub';
  const rule = { prefix: prefix === undefined ? '' : `${prefix}/`, library };
  const repository = upstreamName(rule, image.repository);
  return repository && { upstream, repository, tag: image.reference.tag };
}

/** The tag must not have moved since it was looked at, and everything is read back. */
async function carryOut(registry: Registry, tag: string, { before, after }: Repair): Promise<void> {
  const now = await registry.get(tag);
  if (now.digest !== before.digest) throw new Error('the tag moved meanwhile; nothing was written');
  await registry.put(tag, after.bytes, after.mediaType);
  const [byTag, old] = [await registry.get(tag), await registry.get(before.digest)];
  if (byTag.digest !== after.digest)
    throw new Error(`the registry took it, but the tag has the digest ${byTag.digest}`);
  if (old.digest !== before.digest) throw new Error(`the old digest ${before.digest} is not reachable any more`);
}

function describe(text: string, { before, after, what, diff }: Repair): string {
  return [
    `${text}: ${what}`,
    `  before  ${before.digest}`,
    `  after   ${after.digest}`,
    ...diff.map((line) => `  ${line}`),
  ].join('\n');
}

import type { Config, UpstreamConfig } from '../config/config.ts';
import {
  CREDENTIALS_VARIABLE,
  NO_USER_IN_REFERENCE,
  readCredentials,
  WRONG_CREDENTIALS,
} from '../config/environment.ts';
import type { ConfigResult } from '../config/load.ts';
import type { RepairRequest } from '../config/repair-request.ts';
import type { UpstreamCredentials } from '../domain/credentials.ts';
import { RegistryError } from '../domain/errors.ts';
import { type ImageReference, namesUser, parseImageReference, tellable } from '../domain/image-reference.ts';
import type { Tag } from '../domain/reference.ts';
import { openEndpoints } from '../generation.ts';
import { admit } from '../http/admission.ts';
import { createCursors } from '../http/cursors.ts';
import type { EndpointRoutes } from '../http/endpoint-routes.ts';
import { ANYBODY } from '../http/identify.ts';
import { parseTarget } from '../http/routes.ts';
import { upstreamTarget } from '../http/upstream-target.ts';
import { badConfiguration, type CommandOutcome } from './outcome.ts';
import { carryOutRepair } from './repair-carry-out.ts';
import { planRepair, type Repair } from './repair-plan.ts';
import { createRegistry } from './repair-registry.ts';

/**
 * Heals the cause in the registry: pushes a manifest that lacks its mediaType, or is stored under a wrong type, again under
 * the same tag. What will change is told before anything is written, and nothing is written before every check has passed.
 * Ends with 0, with 1 when it was refused or failed, or with 2 when the reference makes no sense.
 */
export async function runRepairCommand(
  { reference: text, dryRun, force }: RepairRequest,
  load: () => Promise<ConfigResult>,
  tell: (text: string) => void,
): Promise<CommandOutcome> {
  const loaded = await load();
  if ('mistakes' in loaded) return badConfiguration(loaded.mistakes);
  const { config } = loaded;
  const named = readImage(text, config);
  if ('wrong' in named) return { exitCode: 2, complaint: `manifix: ${named.wrong}` };
  const user = readCredentials(process.env[CREDENTIALS_VARIABLE]);
  if (user === undefined) return { exitCode: 2, complaint: `manifix: ${WRONG_CREDENTIALS}` };
  const asker: UpstreamCredentials = user === 'nobody' ? { kind: 'none' } : { kind: 'login', ...user };
  const { endpoints, upstreams } = openEndpoints(askedAs(asker, config));
  try {
    const { image, tag } = named;
    const { upstream, repository } = placeOf(config, endpoints, image, tag);
    const registry = createRegistry(upstream, repository);
    const plan = await planRepair(registry, tag, force);
    if ('nothing' in plan) return { exitCode: 0, text: `${text}: nothing to repair: ${plan.nothing}` };
    tell(describe(text, plan));
    if (dryRun) return { exitCode: 0, text: 'nothing was written' };
    await carryOutRepair(registry, tag, plan);
    return { exitCode: 0, text: 'pushed; the tag and both digests were read back' };
  } catch (error) {
    return { exitCode: 1, complaint: `manifix: ${text}: ${sentence(error)}` };
  } finally {
    await Promise.all(upstreams.map((upstream) => upstream.close()));
  }
}

/** The image whose tag is to be repaired, or what is wrong with what was written. */
function readImage(
  text: string,
  config: Config,
): { readonly image: ImageReference; readonly tag: Tag } | { readonly wrong: string } {
  if (namesUser(text)) return { wrong: NO_USER_IN_REFERENCE };
  const image = parseImageReference(text);
  if (image === undefined) return { wrong: `"${tellable(text)}" is no image reference such as team/app:1.2` };
  const { reference, host } = image;
  if (reference.kind !== 'tag')
    return { wrong: `"${text}" names a digest, whose bytes can only be what they are: name a tag` };
  if (!isServed(config, host))
    return {
      wrong: `no endpoint has the host or namespace ${host}: without a host the image is that of the default endpoint`,
    };
  return { image, tag: reference.tag };
}

/** A host has to be that of an endpoint, or a namespace: what the default would make of another registry's name is not meant. */
function isServed({ endpoints }: Config, host: string | undefined): boolean {
  if (host === undefined) return true;
  const hostname = host.replace(/:\d+$/, '');
  return endpoints.some(({ host: own, ns }) => own === host || own === hostname || ns.includes(host));
}

/**
 * The same configuration where manifix itself asks in the name of a caller wherever each caller's own right counts. A fallback
 * is another registry: what it has says nothing about what is to be repaired.
 */
function askedAs(user: UpstreamCredentials, config: Config): Config {
  const own = ({ fallbacks: _, ...upstream }: UpstreamConfig): UpstreamConfig =>
    upstream.credentials.kind === 'passthrough' ? { ...upstream, credentials: user } : upstream;
  const upstreams = Object.entries(config.upstreams).map(([name, upstream]) => [name, own(upstream)] as const);
  return { ...config, upstreams: Object.fromEntries(upstreams) };
}

/**
 * Where a push of this image through manifix would go.
 * @throws RegistryError when no endpoint would take it
 */
function placeOf(config: Config, endpoints: EndpointRoutes, { host = '', repository }: ImageReference, tag: string) {
  const asked = parseTarget(`/v2/${repository}/manifests/${tag}`);
  const namespace = config.endpoints.some(({ ns }) => ns.includes(host)) ? host : undefined;
  const reached = endpoints.reach(host, asked.route, namespace);
  const { endpoint } = reached;
  const { route, names } = upstreamTarget(reached, 'PUT', asked, createCursors(), endpoint.policy.allows);
  try {
    admit({ endpoint, identity: ANYBODY, method: 'PUT', route, names, challenge: () => [] });
  } catch (error) {
    throw new Error(`the endpoint "${endpoint.name}" takes no push of it: ${sentence(error)}`, { cause: error });
  }
  if (!('repository' in route)) throw new Error('it is no manifest');
  return { upstream: endpoint.upstream, repository: route.repository };
}

function sentence(error: unknown): string {
  const { message } = error as Error;
  const explanation = error instanceof RegistryError ? error.explanation : undefined;
  return explanation === undefined || explanation.startsWith(message) ? message : explanation;
}

function describe(text: string, { before, after, what, diff }: Repair): string {
  return [
    `${text}: ${what}`,
    `  before  ${before.digest}`,
    `  after   ${after.digest}`,
    ...diff.map((line) => `  ${line}`),
  ].join('\n');
}
